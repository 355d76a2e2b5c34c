"""The system's microphone, through sounddevice and PortAudio, where there is one."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np

from course_utils.audio.errors import checked_rate, reason_of
from course_utils.live.sources import chunk_length


class MicrophoneError(RuntimeError):
    """There is no microphone to listen to: one sentence that says why and what to do."""


class Microphone:
    """The system's microphone: a live source that never ends by itself.

    Parameters
    ----------
    sample_rate : int
        In Hz. A loop takes any rate; many devices have only their own.
    chunk_ms : float
        Length of a chunk, in milliseconds.
    device : int or str, optional
        Number or name of an input device, or a part of the name; the system's choice by default.

    Attributes
    ----------
    name : str
        The device's.
    overflows : int
        How often the system lost sound because nobody took it; how much, it does not say.

    Raises
    ------
    MicrophoneError
        If sounddevice or PortAudio is not there, or no such input device, or it refuses the rate;
        while listening, if the device goes away.
    ValueError
        If the rate is absurd, or the length of a chunk is not above 0.
    """

    live = True

    def __init__(
        self, sample_rate: int = 16000, chunk_ms: float = 100, device: int | str | None = None
    ) -> None:
        self.sample_rate = checked_rate(sample_rate, "The microphone")
        self.chunk = chunk_length(chunk_ms, self.sample_rate)
        self._sounddevice = _sounddevice()
        self._settings = {
            "device": device, "channels": 1, "dtype": "float32", "samplerate": self.sample_rate,
        }  # fmt: skip
        self.name, self.overflows = self._checked(device), 0

    def _checked(self, device: int | str | None) -> str:
        """The device's name, once it is sure that it can be listened to."""
        try:
            found = self._sounddevice.query_devices(device, "input")
        except (ValueError, self._sounddevice.PortAudioError) as error:
            wanted = "default input device" if device is None else f"input device {device!r}"
            raise MicrophoneError(
                f"This system has no {wanted} ({reason_of(error)}); expected one of:"
                f" {_names(self._sounddevice)}; choose another, use the microphone widget, which"
                " listens in the browser, or a file."
            ) from error
        try:
            self._sounddevice.check_input_settings(**self._settings)
        except (ValueError, self._sounddevice.PortAudioError) as error:
            raise MicrophoneError(
                f"The input device {found['name']!r} refuses one channel at {self.sample_rate} Hz"
                f" ({reason_of(error)}); expected a rate that it has; try"
                f" sample_rate={found['default_samplerate']:.0f}, and give the loop the same."
            ) from error
        return found["name"]

    def __iter__(self) -> Iterator[np.ndarray]:
        try:
            with self._sounddevice.InputStream(**self._settings, blocksize=self.chunk) as stream:
                while True:
                    chunk, overflowed = stream.read(self.chunk)
                    self.overflows += overflowed
                    yield chunk[:, 0]
        except self._sounddevice.PortAudioError as error:
            raise MicrophoneError(
                f"The input device {self.name!r} gives no sound ({reason_of(error)}); expected it"
                " to be connected and free; look at it and listen again."
            ) from error


def _sounddevice() -> ModuleType:
    """Imported when it is wanted: nobody else needs it, and it needs PortAudio."""
    try:
        import sounddevice
    except ImportError as error:
        raise MicrophoneError(
            "The package sounddevice is not installed, which gives access to this system's"
            " microphone; install it (pip install sounddevice), use the microphone widget, which"
            " listens in the browser, or a file."
        ) from error
    except OSError as error:
        raise MicrophoneError(
            f"sounddevice cannot reach this system's microphone ({reason_of(error)}); expected"
            " PortAudio; install it (Debian: apt install libportaudio2), use the microphone widget,"
            " which listens in the browser, or a file."
        ) from error
    return sounddevice


def _names(sounddevice: ModuleType) -> str:
    """The input devices, in words."""
    inputs = [
        f"{number} {each['name']!r}"
        for number, each in enumerate(sounddevice.query_devices())
        if each["max_input_channels"] > 0
    ]
    return ", ".join(inputs) or "none is there"
