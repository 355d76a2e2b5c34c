"""A sounddevice with three devices, of which the second and the third have an input."""

from __future__ import annotations

import itertools
import time
import types

import numpy as np


class PortAudioError(Exception):
    """As sounddevice's."""


DEVICES = (
    {"name": "Loudspeaker", "max_input_channels": 0, "default_samplerate": 44100.0},
    {"name": "Built-in", "max_input_channels": 2, "default_samplerate": 48000.0},
    {"name": "Headset", "max_input_channels": 1, "default_samplerate": 16000.0},
)


class FakeSounddevice(types.ModuleType):
    """What `Microphone` uses of it, with its errors.

    Every chunk of sound holds its own number, divided by 1000. The devices have their default rate
    and 16 kHz; reading chunk ``fails_at`` fails.
    """

    PortAudioError = PortAudioError

    def __init__(self, devices=DEVICES, default=2, fails_at=None) -> None:
        super().__init__("sounddevice")
        self.devices, self.default, self.fails_at = devices, default, fails_at
        self.opened: list[dict] = []
        self.open_now = 0

    def query_devices(self, device=None, kind=None):
        if device is None and kind is None:
            return self.devices
        if isinstance(device, str):
            fits = [each for each in self.devices if device.lower() in each["name"].lower()]
            if not fits:
                raise ValueError(f"No {kind} device matching {device!r}")
            return fits[0]
        number = self.default if device is None else device
        if not 0 <= number < len(self.devices):
            raise PortAudioError(f"Error querying device {number}")
        if not self.devices[number]["max_input_channels"]:
            raise ValueError(f"Not an input device: {self.devices[number]['name']!r}")
        return self.devices[number]

    def check_input_settings(self, device, channels, dtype, samplerate):
        found = self.query_devices(device, "input")
        if samplerate not in (16000, found["default_samplerate"]):
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def InputStream(self, **settings):  # noqa: N802
        self.opened.append(settings)
        return _Stream(self, settings["blocksize"])


class _Stream:
    def __init__(self, module: FakeSounddevice, blocksize: int) -> None:
        self.module, self.blocksize = module, blocksize
        self.numbers = itertools.count(1)

    def __enter__(self):
        self.module.open_now += 1
        return self

    def __exit__(self, *_):
        self.module.open_now -= 1

    def read(self, frames):
        assert frames == self.blocksize
        time.sleep(0.001)
        number = next(self.numbers)
        assert number < 5000, "nobody stopped listening"
        if number == self.module.fails_at:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        return np.full((frames, 1), number / 1000, np.float32), number == 2
