"""A video read and written by PyAV, every frame with its own time: python examples/video.py clip.mp4 removed.mp4"""

import sys
from fractions import Fraction

import av

from realtime import Tracker


def main(clip: str, removed: str) -> None:
    with av.open(clip) as source, av.open(removed, "w") as target, Tracker() as tracker:
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=video.average_rate)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.codec_context.time_base = video.time_base or Fraction(1, 90000)
        for picture in source.decode(video):
            faces, image = tracker(picture.to_ndarray(format="rgb24"), picture.time)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = picture.pts, picture.time_base
            target.mux(stream.encode(frame))
            print(f"{picture.time:.2f} s: {len(faces)} faces")
        target.mux(stream.encode(None))


if __name__ == "__main__":
    main(*sys.argv[1:])
