"""A small Linux virtual machine (QEMU) whose cameras are real V4L2 devices: vivid, the kernel's camera test driver, and
v4l2loopback. Its root is this machine's own file system, read only below a layer in memory, so that the same Python,
libraries and tests run inside. `fetch_kernel.sh` gets the kernel.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "cpio": "cpio", "busybox": "busybox-static"}  # program: package
# a busy machine starves the virtual one: its clock is not to be doubted, nor its processors taken for dead
PATIENT = "no_timer_check nowatchdog rcupdate.rcu_cpu_stall_suppress=1"
STARTING = ("virtio_pci", "9pnet_virtio", "9p", "overlay")  # modules that reaching the root takes
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /host /layer /root /out
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
while read -r module parameters; do insmod "$module" $parameters || echo "no $module"; done < /modules
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host
mount -t tmpfs -o size=60% layer /layer; mkdir /layer/up /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/up,workdir=/layer/work root /root
for place in proc sys dev; do mount --move /$place /root/$place; done
mkdir -p /root/dev/shm /root/run/out; mount -t tmpfs shm /root/dev/shm
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 out /root/run/out
ip link set lo up
cp /command /root/run/command
chroot /root /bin/sh /run/command > /root/run/out/output 2>&1
echo $? > /root/run/out/status
sync; poweroff -f
"""


@dataclass(frozen=True, slots=True)
class Kernel:
    """image: a bootable vmlinuz. modules: lib/modules/RELEASE, with modules.dep."""

    image: Path
    modules: Path

    def needed(self, module: str) -> list[Path]:
        """The module's file behind all it needs, in the order of loading."""
        for line in (self.modules / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            if Path(file).stem == module:
                return [self.modules / name for name in (*reversed(needs.split()), file)]
        raise LookupError(f"{self.modules} has no module {module}")


@dataclass(frozen=True, slots=True)
class Result:
    """status: the command's exit status, None where it never ended. output: what it said; console: the kernel."""

    status: int | None
    output: str
    console: str


def kernel_folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("NAKEDEYE_TEST_KERNEL") or cache / "nakedeye" / "test-kernel")


def find_kernel(folder: Path | None = None) -> Kernel | str:
    """The newest kernel of the folder, or why there is none to run."""
    folder = folder or kernel_folder()
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        return f"needs a virtual machine: apt-get install {' '.join(missing)}"
    for complete in sorted(folder.glob("*.complete"), reverse=True):
        release = complete.name.removesuffix(".complete")
        return Kernel(folder / "boot" / f"vmlinuz-{release}", folder / "lib" / "modules" / release)
    return f"no kernel in {folder}: run tests/devices/fetch_kernel.sh"


def write_initramfs(path: Path, kernel: Kernel, modules: Sequence[str], command: str) -> None:
    """modules: names, each with its parameters, in the order of loading. command: a shell script."""
    tree = path.with_suffix(".tree")
    (tree / "bin").mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, tree / "bin" / "busybox")
    listed: dict[str, str] = {}
    for wanted in (*STARTING, *modules):
        name, _, parameters = wanted.partition(" ")
        for file in kernel.needed(name):
            shutil.copy(file, tree / file.name)
            listed.setdefault(f"/{file.name}", parameters if file.stem == name else "")
    (tree / "modules").write_text("".join(f"{file} {parameters}\n" for file, parameters in listed.items()))
    (tree / "command").write_text(command)
    (tree / "init").write_text(INIT)
    (tree / "init").chmod(0o755)
    names = "\n".join(str(file.relative_to(tree)) for file in sorted(tree.rglob("*")))
    with open(path, "wb") as archive:
        command = ["cpio", "-o", "-H", "newc", "--quiet"]
        subprocess.run(command, input=names.encode(), stdout=archive, cwd=tree, check=True)


def run_inside(
    command: Sequence[str], folder: Path, scratch: Path, kernel: Kernel, modules: Sequence[str],
    environment: dict[str, str], timeout_s: float,
) -> Result:  # fmt: skip
    """Boots, runs `command` in `folder` as root, powers off. What it writes to /run/out is found in `scratch`/out."""
    out = scratch / "out"
    out.mkdir()
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    script = f"{exports}cd {shlex.quote(str(folder))} && exec {shlex.join(command)}\n"
    write_initramfs(scratch / "initramfs", kernel, modules, script)
    shares = {"host": "path=/,readonly=on,multidevs=remap", "out": f"path={out}"}
    run = subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048",
         "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-kernel", str(kernel.image),
         "-initrd", str(scratch / "initramfs"), "-append", f"console=ttyS0 quiet panic=-1 {PATIENT}",
         *(word for tag, where in shares.items()
           for word in ("-virtfs", f"local,{where},mount_tag={tag},security_model=none"))],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s,
    )  # fmt: skip
    status, output = out / "status", out / "output"
    return Result(
        int(status.read_text()) if status.exists() else None,
        output.read_text(errors="replace") if output.exists() else "",
        run.stdout + run.stderr,
    )
