"""The few calls of NVIDIA's CUDA driver that an engine needs: which GPU there is, memory on it, and a stream.

Through ctypes: the driver's own library comes with every NVIDIA driver, so nothing needs to be installed for it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.base import EngineError, Unavailable

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CUdevice_attribute
NON_BLOCKING = 1  # CUstream_flags


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first NVIDIA GPU of this machine."""

    name: str
    compute_capability: str


class CudaDriver:
    """The driver, with the first GPU's primary context.

    Raises Unavailable without a driver or a GPU. Pointers are ints; the caller frees what it allocates.
    """

    def __init__(self, load: Callable[[str], Any] = ctypes.CDLL):
        try:
            self._library = load(LIBRARY)
        except OSError:
            raise Unavailable(f"no NVIDIA driver: {LIBRARY} is not on this machine") from None
        self._start("cuInit", 0)
        count = ctypes.c_int()
        self._start("cuDeviceGetCount", ctypes.byref(count))
        if count.value == 0:
            raise Unavailable("the NVIDIA driver finds no GPU")
        self._device = ctypes.c_int()
        self._start("cuDeviceGet", ctypes.byref(self._device), 0)

    def gpu(self) -> Gpu:
        """Its name and compute capability."""
        name = ctypes.create_string_buffer(256)
        self._call("cuDeviceGetName", name, len(name), self._device)
        numbers = []
        for attribute in (CAPABILITY_MAJOR, CAPABILITY_MINOR):
            value = ctypes.c_int()
            self._call("cuDeviceGetAttribute", ctypes.byref(value), attribute, self._device)
            numbers.append(value.value)
        return Gpu(name.value.decode(), f"{numbers[0]}.{numbers[1]}")

    def retain_context(self) -> int:
        """The primary context, shared with every other user of CUDA in the process."""
        context = ctypes.c_void_p()
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self._device)
        return context.value or 0

    def release_context(self) -> None:
        self._call("cuDevicePrimaryCtxRelease_v2", self._device)

    def use(self, context: int) -> None:
        """Make `context` that of the calling thread."""
        self._call("cuCtxSetCurrent", ctypes.c_void_p(context))

    def stream(self) -> int:
        """A new stream."""
        stream = ctypes.c_void_p()
        self._call("cuStreamCreate", ctypes.byref(stream), NON_BLOCKING)
        return stream.value or 0

    def destroy_stream(self, stream: int) -> None:
        self._call("cuStreamDestroy_v2", ctypes.c_void_p(stream))

    def wait(self, stream: int) -> None:
        """Until all that was put on `stream` is done."""
        self._call("cuStreamSynchronize", ctypes.c_void_p(stream))

    def allocate(self, size: int) -> int:
        """`size` bytes on the GPU."""
        pointer = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(max(size, 1)))
        return pointer.value

    def free(self, pointer: int) -> None:
        self._call("cuMemFree_v2", ctypes.c_uint64(pointer))

    def upload(self, pointer: int, array: np.ndarray, stream: int) -> None:
        """Copy a contiguous array to the GPU. It must not change until `wait`."""
        source = array.ctypes.data_as(ctypes.c_void_p)
        size = ctypes.c_size_t(array.nbytes)
        self._call("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(pointer), source, size, ctypes.c_void_p(stream))

    def download(self, array: np.ndarray, pointer: int, stream: int) -> None:
        """Copy from the GPU into a contiguous array, which is whole after `wait`."""
        target = array.ctypes.data_as(ctypes.c_void_p)
        size = ctypes.c_size_t(array.nbytes)
        self._call("cuMemcpyDtoHAsync_v2", target, ctypes.c_uint64(pointer), size, ctypes.c_void_p(stream))

    def _start(self, function: str, *arguments: Any) -> None:
        """A call whose failure means that there is no usable GPU."""
        try:
            self._call(function, *arguments)
        except EngineError as why:
            raise Unavailable(f"the NVIDIA driver does not start: {why}") from None

    def _call(self, function: str, *arguments: Any) -> None:
        result = getattr(self._library, function)(*arguments)
        if result != 0:
            raise EngineError(f"{function} failed: {self._name_of(result)}")

    def _name_of(self, result: int) -> str:
        name = ctypes.c_char_p()
        self._library.cuGetErrorName(result, ctypes.byref(name))
        return name.value.decode() if name.value else f"CUDA error {result}"
