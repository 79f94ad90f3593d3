"""News for the person at the window, on a clock of the test's own."""

from realtime.notices import BAD_NEWS_S, NEWS_S, Notices


def test_news_goes_when_it_has_been_read_and_bad_news_stays_longer(caplog):
    now = [0.0]
    notices = Notices(clock=lambda: now[0])
    assert notices.current is None
    notices.tell("saved a.png")
    assert notices.current.text == "saved a.png" and not notices.current.bad
    now[0] = NEWS_S + 0.1
    assert notices.current is None
    notices.tell("camera gone", bad=True)
    now[0] += BAD_NEWS_S - 0.1
    assert notices.current.bad and "camera gone" in caplog.text
    now[0] += 0.2
    assert notices.current is None


def test_bad_news_is_not_covered_by_good_news_but_by_worse_and_can_be_clicked_away():
    notices = Notices(clock=lambda: 0.0)
    notices.tell("camera gone", bad=True)
    notices.tell("saved a.png")
    assert notices.current.text == "camera gone"
    notices.tell("disk full", bad=True)
    assert notices.current.text == "disk full"
    notices.dismiss()
    assert notices.current is None
