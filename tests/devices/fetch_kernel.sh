#!/usr/bin/env bash
# A Debian kernel with its camera test driver (vivid) and v4l2loopback, for tests/devices/vm.py, into the folder named
# by the argument, by NAKEDEYE_TEST_KERNEL, or the user's cache. The running system is left as it is, but for the
# packages that this needs: apt-get install qemu-system-x86 busybox-static cpio kmod make gcc-12 (Debian 12's kernel's)
set -euo pipefail
folder=${1:-${NAKEDEYE_TEST_KERNEL:-${XDG_CACHE_HOME:-$HOME/.cache}/nakedeye/test-kernel}}
release=$(apt-cache depends linux-image-amd64 | sed -n 's/ *Depends: linux-image-\([0-9].*\)/\1/p')
[ -n "$release" ] || { echo "apt knows no linux-image-amd64; run apt-get update first" >&2; exit 1; }
[ -e "$folder/$release.complete" ] && { echo "$folder holds $release already"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
abi=${release%-amd64}
kbuild=$(apt-cache depends "linux-headers-$release" | sed -n 's/ *Depends: \(linux-kbuild-.*\)/\1/p')
compiler=$(apt-cache depends "linux-headers-$release" | sed -n 's/ *Depends: \(linux-compiler-.*\)/\1/p')
cc=${compiler#linux-compiler-} cc=${cc%-x86}
apt-get download -qq "linux-image-$release" "linux-headers-$release" "linux-headers-$abi-common" "$kbuild" \
    ${compiler:+"$compiler"} v4l2loopback-dkms 2> >(grep -v unsandboxed >&2)
for package in *.deb; do dpkg-deb -x "$package" root; done
# the headers name each other by absolute paths
sed -i "s|/usr/src/|$work/root/usr/src/|; s|/usr/lib/|$work/root/usr/lib/|" "root/usr/src/linux-headers-$release/Makefile"
for link in root/usr/src/linux-headers-*/{scripts,tools}; do
    [ -L "$link" ] && ln -sfn "$work/root/usr/lib/${kbuild}/$(basename "$link")" "$link"
done
make -s -C "root/usr/src/linux-headers-$release" M="$(echo "$work"/root/usr/src/v4l2loopback-*)" CC="${cc:-gcc}" modules >&2
install -D root/usr/src/v4l2loopback-*/v4l2loopback.ko -t "root/lib/modules/$release/updates"
depmod -b root "$release"
mkdir -p "$folder/boot"
rm -rf "${folder:?}/lib/modules/$release"
for module in virtio_pci 9pnet_virtio 9p overlay vivid v4l2loopback; do  # of 400 MB the few that are used
    modprobe -d root -S "$release" --show-depends "$module"
done | sed -n 's|^insmod .*/root/\(lib/[^ ]*\).*|\1|p' | sort -u | while read -r file; do
    install -D "root/$file" "$folder/$file"
done
cp root/lib/modules/"$release"/modules.{builtin,order}* "$folder/lib/modules/$release/"
depmod -b "$folder" "$release"
cp "root/boot/vmlinuz-$release" "$folder/boot/"
touch "$folder/$release.complete"
echo "$folder holds $release"
