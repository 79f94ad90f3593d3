"""What we record plays in three.js, in a real browser: morph weights and the head's rotation at three times."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue

import numpy as np
import pytest

from realtime.avatar.gltf import read_gltf
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.export import head_rotations, write_animation
from realtime.face.model import load_face_model
from tests.realtime.npm import install
from tools.avatar_build.quantised import UNIT_M
from tools.make_avatar import OUT

TIMES_S = (0.1, 0.5, 0.94)
PAGE = """<!doctype html><meta charset="utf-8">
<script type="importmap">{"imports": {"three": "./node_modules/three/build/three.module.js",
                                      "three/addons/": "./node_modules/three/examples/jsm/"}}</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
const send = (what) => fetch("/told", {method: "POST", body: JSON.stringify(what)});
try {
  const loader = new GLTFLoader();
  const morphed = (scene) => {
    let found;
    scene.traverse((one) => { if (one.morphTargetDictionary) found = one; });
    return found;
  };
  const talk = await loader.loadAsync("talk.glb");
  const mesh = morphed(talk.scene);
  const head = talk.scene.getObjectByName("head");
  const mixer = new THREE.AnimationMixer(talk.scene);
  mixer.clipAction(talk.animations[0]).play();
  const moments = TIMES.map((time) => {
    mixer.setTime(time);
    const known = Object.entries(mesh.morphTargetDictionary);
    const weights = known.map(([name, k]) => [name, mesh.morphTargetInfluences[k]]);
    return {weights: Object.fromEntries(weights), rotation: head.quaternion.toArray()};
  });
  const avatar = await loader.loadAsync("avatar.glb");
  const face = morphed(avatar.scene);
  const resting = new THREE.Vector3(), opened = new THREE.Vector3();
  let farthest = 0;
  avatar.scene.updateMatrixWorld(true);
  for (let v = 0; v < face.geometry.attributes.position.count; v++) {
    face.morphTargetInfluences[face.morphTargetDictionary.jawOpen] = 0;
    face.getVertexPosition(v, resting).applyMatrix4(face.matrixWorld);
    face.morphTargetInfluences[face.morphTargetDictionary.jawOpen] = 1;
    face.getVertexPosition(v, opened).applyMatrix4(face.matrixWorld);
    farthest = Math.max(farthest, resting.distanceTo(opened));
  }
  const size = new THREE.Box3().setFromObject(avatar.scene).getSize(new THREE.Vector3()).toArray();
  const eyes = ["LeftEye", "RightEye"].map((name) => !!avatar.scene.getObjectByName(name));
  const names = Object.keys(face.morphTargetDictionary);
  await send({duration: talk.animations[0].duration, moments, farthest, names, size, eyes});
} catch (error) { await send({error: String(error && error.stack || error)}); }
</script>"""


class Answers(SimpleHTTPRequestHandler):
    """Files of a folder, and one answer that the page posts."""

    def __init__(self, told: Queue, *args, **more):
        self.told = told
        super().__init__(*args, **more)

    def do_POST(self) -> None:
        self.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def performance() -> tuple[np.ndarray, np.ndarray]:
    """(26,) s and (26, 239): a jaw that opens, a smile that goes, a head that turns."""
    rows = np.zeros((26, COUNT), np.float32)
    share = np.linspace(0, 1, 26, dtype=np.float32)
    expression = rows[:, SLICES["expression"]]
    expression[:, ARKIT_NAMES.index("jawOpen")] = 0.9 * share
    expression[:, ARKIT_NAMES.index("mouthSmileLeft")] = 1 - share
    expression[:, ARKIT_NAMES.index("eyeBlinkRight")] = share > 0.5
    rows[:, SLICES["pose"]] = [0, 0, 0, 1, 0, 0]
    rows[:, SLICES["pose"].start : SLICES["pose"].start + 2] = np.stack([0.3 * share, 0.8 * share - 0.4], axis=1)
    return np.arange(26) / 25 + 7.0, rows


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Iterator[dict]:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium: apt install chromium")
    folder = tmp_path_factory.mktemp("three")
    install(folder, "three@0.180.0")
    write_animation(load_face_model("live"), folder / "talk.glb", *performance())
    shutil.copy(OUT, folder / "avatar.glb")
    (folder / "index.html").write_text(PAGE.replace("TIMES", str(list(TIMES_S)), 1))
    told: Queue = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, told, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = subprocess.Popen(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         f"--user-data-dir={folder / 'profile'}", f"http://127.0.0.1:{server.server_port}/index.html"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    try:
        yield told.get(timeout=240)
    except Empty:
        pytest.fail("the browser told nothing within 240 s")
    finally:
        process.terminate()
        process.wait(20)
        server.shutdown()


def test_three_reads_it_without_error(played):
    assert "error" not in played, played.get("error")
    assert played["duration"] == pytest.approx(1.0)


def test_morph_weights_and_rotation_at_three_times(played):
    times, rows = performance()
    times = times - times[0]
    weights = rows[:, SLICES["expression"]][:, : len(ARKIT_NAMES)]
    rotations = head_rotations(rows)
    for time, moment in zip(TIMES_S, played["moments"], strict=True):
        assert set(moment["weights"]) == set(ARKIT_NAMES)
        for k, name in enumerate(ARKIT_NAMES):
            expected = np.interp(time, times, weights[:, k])
            assert moment["weights"][name] == pytest.approx(expected, abs=1e-4), (time, name)
        turned = np.array([np.interp(time, times, rotations[:, k]) for k in range(4)])
        turned /= np.linalg.norm(turned)
        assert abs(np.dot(turned, moment["rotation"])) == pytest.approx(1, abs=1e-5)


def test_three_opens_the_mouth_of_our_avatar(played):
    assert played["names"] == list(ARKIT_NAMES) and played["eyes"] == [True, True]
    gltf = read_gltf(OUT)
    target = gltf.document["meshes"][0]["primitives"][0]["targets"][ARKIT_NAMES.index("jawOpen")]
    expected = np.linalg.norm(gltf.floats(target["POSITION"]), axis=1).max() * UNIT_M
    assert played["farthest"] == pytest.approx(expected, rel=1e-3) and expected > 0.02  # m
    assert 0.2 < played["size"][1] < 0.4 and played["size"][0] < 0.3
