"""Widgets with a half of their own in the browser: scripts, messages, files in parts, Colab."""

import sys
from pathlib import Path

import anywidget
import traitlets

from course_utils import audio

_STATIC = Path(__file__).with_name("static")
_PATIENCE_S = 10  # without an answer of the kernel, after which the microphone is given back
# Colab's page asks for the microphone when code that it ran for a cell wants it, and not when a
# widget does (mesop issue 1152).
_ASK_COLAB = """(async () => {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true});
    stream.getTracks().forEach((track) => track.stop());
    return "";
  } catch (error) {
    return error.name;
  }
})()"""
CONTROLS = "course-controls"
# Without its kernel, every widget inside another gets a sign in front of it, which takes the place
# of a cell in a matrix; the sign of the whole is enough. A player stands where the pictures stand.
STYLE = f"""<style>
.{CONTROLS} .jupyter-widgets-disconnected::before {{ display: none; }}
.{CONTROLS} figure {{ margin: 0; }}
</style>"""
"""For widgets made of others: their class, and what goes into one of them."""


def script(*names: str) -> str:
    """Files of ``static`` as one module, so that no second one has to be served."""
    return "\n".join((_STATIC / name).read_text("utf-8") for name in names)


def ask_colab() -> str:
    """In Colab, get the browser's permission for the microphone, and widgets shown at all.

    Returns
    -------
    str
        What the browser calls its refusal, ``"NotAllowedError"`` for one; else, and outside Colab,
        empty.
    """
    if "google.colab" not in sys.modules:
        return ""
    from google.colab import output

    output.enable_custom_widget_manager()
    return output.eval_js(_ASK_COLAB)


class MicrophoneWidget(anywidget.AnyWidget):
    """What a listener and a recorder have in common.

    Parameters
    ----------
    **settings
        For the script, which asks with ``hello`` whether there is a kernel.
    """

    _css = _STATIC / "microphone.css"
    settings = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: object) -> None:
        self._parts: dict[str, list[bytes]] = {}
        super().__init__(settings={**settings, "refused": ask_colab(), "patience_s": _PATIENCE_S})
        self.on_msg(self._take)

    def _take(self, _: object, message: dict, buffers: list) -> None:
        """Give a message to the method that is called after its type."""
        answer = getattr(self, f"_on_{message.get('type')}", None)
        if answer is None:
            return
        try:
            answer(message, buffers)
        except (audio.AudioError, ValueError) as error:
            self._complain(str(error), message)
        except Exception as error:
            self._complain(f"The kernel failed with {type(error).__name__} ({error}).", message)
            raise

    def _complain(self, sentence: str, message: dict) -> None:
        self.send({"type": "problem", "id": message.get("id"), "text": sentence})

    def _whole(self, message: dict, buffers: list) -> bytes | None:
        """The bytes that come in parts, once they are all there."""
        parts = self._parts.setdefault(message["id"], [])
        parts.append(bytes(buffers[0]))
        if len(parts) < message["parts"]:
            return None
        return b"".join(self._parts.pop(message["id"]))
