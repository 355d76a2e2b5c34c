"""The confusion matrix of lesson 03: click a cell, and hear what was taken for what."""

import html
import threading
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_utils import audio, features, plots
from course_utils.metrics import Predictions, most_confused, normalise
from course_utils.widgets.browser import CONTROLS, STYLE

_CLIPS_PER_PAGE = 4
# Darkest and brightest level, the same for all clips: a faint one looks faint, as it was heard.
_LEVELS_DB = (-40, 30)
_SHARES = (("% of row", "truth"), ("% of column", "predicted"))
_SHADES = 50  # as many as the eye tells apart; cells of one shade share one style widget
_ZERO = "#6b6b6b"  # zeros step back behind the mistakes, and can still be read
_STYLE = """<style>
.course-matrix button { line-height: 1; }
.course-clips { display: grid; gap: 10px 14px;
  grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); }
.course-clips figcaption { line-height: 1.3; }
.course-clips audio { width: 100%; max-width: 320px; height: 32px; margin: 4px 0; }
.course-clips img { width: 100%; max-width: 320px; }
</style>"""


class ConfusionMatrix(widgets.Box):
    """A button for every cell of a confusion matrix, beside the clips of the chosen cell.

    Clips come with the most confident one first. Parameters and errors: :func:`show`.
    """

    def __init__(
        self,
        predictions: Predictions,
        sound: Callable[[int], np.ndarray],
        sample_rate: int,
        first: tuple[str, str] | None,
        named: tuple[str, str],
    ) -> None:
        audio.check(sound(0), sample_rate, "Clip 0")
        self._predictions, self._sound, self._sample_rate = predictions, sound, sample_rate
        self._matrix, (self._one, self._who) = predictions.matrix, named
        self._chosen = self._first_cell(first)
        # JupyterLab may answer every control in a thread of its own, but the marked cell, the
        # heading and the clips below it have to be those of one click.
        self._turn = threading.RLock()
        self._build_controls()
        self._build_cells()
        pages = widgets.HBox([self.back, self.more, self.place])
        sides = (
            widgets.VBox([self.by, self._grid()], layout={"max_width": "100%"}),
            # Beside the matrix where two clips fit beside each other, below it elsewhere.
            widgets.VBox([self.heading, self.clips, pages], layout={"flex": "1 1 510px"}),
        )
        super().__init__(sides, layout={"flex_flow": "row wrap", "grid_gap": "0 16px"})
        self.add_class(CONTROLS)
        self._label_cells()
        self.choose(*self._chosen)

    def _first_cell(self, first: tuple[str, str] | None) -> tuple[int, int]:
        labels = self._predictions.labels
        if first is None:
            biggest = most_confused(self._matrix, labels, 1)
            if not biggest:  # nothing is confused: then the class with the most clips
                most = int(np.diag(self._matrix).argmax())
                return most, most
            first = biggest[0].truth, biggest[0].predicted
        for label in first:
            if label not in labels:
                raise ValueError(
                    f"Found the label {label!r} in first; expected one of {', '.join(labels)}; "
                    "give (truth, prediction)."
                )
        return labels.index(first[0]), labels.index(first[1])

    def _build_controls(self) -> None:
        self.by = widgets.ToggleButtons(
            options=((f"{self._one}s", "counts"), *_SHARES),
            style={"button_width": "110px"},
            tooltips=["how many", "shares of each truth", "shares of each prediction"],
        )
        self.heading, self.clips, self.place = widgets.HTML(), widgets.HTML(), widgets.Label()
        self.back = widgets.Button(description="back", layout={"width": "80px"})
        self.more = widgets.Button(description="more", layout={"width": "80px"})
        self.by.observe(lambda change: self._label_cells(), "value")
        self.back.on_click(lambda button: self._turn_page(-1))
        self.more.on_click(lambda button: self._turn_page(1))

    def _build_cells(self) -> None:
        shape = {"width": "auto", "height": "30px", "padding": "0", "margin": "0"}
        self._plain = widgets.Layout(**shape, border="1px solid #c8c8c8")
        self._marked = widgets.Layout(**shape, border=f"4px solid {plots.COLOURS[1]}")
        self._styles = []
        for step in range(_SHADES + 1):
            colour, text = plots.shade(step / _SHADES)
            text = text if step else _ZERO
            style = {"button_color": colour, "text_color": text, "font_size": "12px"}
            self._styles.append(widgets.ButtonStyle(**style))
        places = range(len(self._matrix))
        first = {"layout": self._plain, "style": self._styles[0]}
        self.cells = [[widgets.Button(**first) for _ in places] for _ in places]
        for row, cells in enumerate(self.cells):
            for column, cell in enumerate(cells):
                cell.on_click(lambda _, place=(row, column): self.choose(*place))

    def _grid(self) -> widgets.GridBox:
        labels = [html.escape(label) for label in self._predictions.labels]
        upright = (
            '<div style="writing-mode: vertical-rl; transform: rotate(180deg); margin: auto; '
            'line-height: 1.2">{}</div>'
        )
        foot = {"align_self": "flex-end"}
        corner = '<div style="text-align: right; line-height: 1.3">prediction →<br>truth ↓</div>'
        children = [widgets.HTML(corner, layout=foot)]
        children += [widgets.HTML(upright.format(label), layout=foot) for label in labels]
        for label, cells in zip(labels, self.cells, strict=True):
            children += [widgets.HTML(f'<div style="text-align: right">{label}</div>'), *cells]
        columns = f"max-content repeat({len(labels)}, 38px)"
        layout = {"grid_template_columns": columns, "grid_gap": "2px", "padding": "6px 0"}
        grid = widgets.GridBox(children, layout={**layout, "align_items": "center"})
        return grid.add_class("course-matrix")

    def _label_cells(self) -> None:
        """Write counts or shares on the cells and shade them by the share."""
        with self._turn:
            by = self.by.value
            shares = normalise(self._matrix, "truth" if by == "counts" else by)
            for (row, column), count in np.ndenumerate(self._matrix):
                share = shares[row, column]
                cell = self.cells[row][column]
                with cell.hold_sync():
                    percent = "<1%" if 0 < share < 0.005 else f"{100 * share:.0f}%"
                    cell.description = str(count) if by == "counts" else percent
                    cell.style = self._styles[int(np.ceil(share * _SHADES))]
                    cell.tooltip = self._cell_in_words(row, column)

    def _cell_in_words(self, row: int, column: int) -> str:
        labels, count = self._predictions.labels, self._matrix[row, column]
        counted = f"{count} {self._one}{'' if count == 1 else 's'}"
        return f"truth {labels[row]}, predicted {labels[column]}: {counted}"

    def choose(self, row: int, column: int) -> None:
        """Mark a cell, given as places in the labels, and show its first clips."""
        with self._turn:
            old_row, old_column = self._chosen
            self.cells[old_row][old_column].layout = self._plain
            self.cells[row][column].layout = self._marked
            self._chosen, self._page = (row, column), 0
            truth, predicted = self._predictions.truth, self._predictions.predicted
            found = np.flatnonzero((truth == row) & (predicted == column))
            sure = self._predictions.scores[found, column]
            self._found = found[np.argsort(-sure, kind="stable")]
            self._show_page()

    def _turn_page(self, step: int) -> None:
        with self._turn:
            # A second click may have been on its way when the first one reached the end.
            last = max(len(self._found) - 1, 0) // _CLIPS_PER_PAGE
            self._page = min(max(self._page + step, 0), last)
            self._show_page()

    def _show_page(self) -> None:
        start = self._page * _CLIPS_PER_PAGE
        shown = self._found[start : start + _CLIPS_PER_PAGE]
        heading = f"<b>{html.escape(self._cell_in_words(*self._chosen))}</b>"
        if len(shown) == 0:
            heading += "<br>This never happened, so there is nothing to hear."
        cards = "".join(self._card(int(clip)) for clip in shown)
        self.heading.value = f'<div role="status">{heading}</div>'
        self.clips.value = f'{STYLE}{_STYLE}<div class="course-clips">{cards}</div>'
        stop = start + len(shown)
        self.place.value = f"{start + 1} to {stop} of {len(self._found)}" if cards else ""
        self.back.disabled, self.more.disabled = start == 0, stop == len(self._found)

    def _card(self, clip: int) -> str:
        """What was said, a player and a picture of one clip; or why there is none."""
        title, name = self._title(clip), f"{self._one} {clip}".capitalize()
        try:
            samples, rate = audio.check(self._sound(clip), self._sample_rate, name)
            picture = _picture(samples, rate, name)
        except ValueError as error:
            return f'<div>{html.escape(title)}<p role="alert">{html.escape(str(error))}</p></div>'
        return f"<div>{audio.play(samples, rate, title)._repr_html_()}{picture}</div>"

    def _title(self, clip: int) -> str:
        predictions, truth = self._predictions, self._predictions.truth[clip]
        predicted = predictions.predicted[clip]
        speaker = f", {self._who} {predictions.groups[clip]}" if predictions.groups else ""
        return (
            f"{self._one} {clip}: truth {predictions.labels[truth]}, predicted "
            f"{predictions.labels[predicted]}, score {predictions.scores[clip, predicted]:.2f}"
            f"{speaker}"
        )


def _picture(samples: np.ndarray, sample_rate: int, name: str) -> str:
    """An ``<img>`` of a clip's spectrogram, with alt text."""
    power = features.power_spectrogram(samples, sample_rate)
    if len(power) == 0:
        raise ValueError(
            f"{name} lasts {1000 * len(samples) / sample_rate:.0f} ms; expected at least the "
            "30 ms of one window; give the whole sound."
        )
    decibels = 10 * np.log10(np.maximum(power, features.LOG_FLOOR))
    # Not pyplot, which keeps figures for one thread. Fixed margins draw in half the time.
    figure = Figure(figsize=(3.4, 1.75), dpi=80, layout="none")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.2, 0.28, 0.72, 0.66))
    plots.spectrogram(axes, decibels, sample_rate, title=name.lower(), limits=_LEVELS_DB)
    axes.set_title("")  # in the alt text only: for the eye it stands above the player
    canvas.draw()
    return plots.html_image(canvas, plots.alt_text(figure))


def show(
    predictions: Predictions,
    sound: Callable[[int], np.ndarray],
    sample_rate: int = 16000,
    first: tuple[str, str] | None = None,
    named: tuple[str, str] = ("clip", "speaker"),
) -> ConfusionMatrix:
    """A confusion matrix to click on and to listen to.

    Parameters
    ----------
    predictions : Predictions
    sound : callable
        From the number of a clip to its samples, shape (samples,), as the recogniser heard them.
    sample_rate : int
        Of all clips, in Hz.
    first : (str, str), optional
        Truth and prediction of the cell that is open at first; the biggest confusion by default.
    named : (str, str)
        What is counted, and whose it is: ``("track", "artist")`` for music.

    Raises
    ------
    ValueError
        If ``first`` names an unknown label.
    audio.AudioError
        If ``sound`` gives something else than samples for clip 0. Of a later clip the widget says
        what is wrong in its place.
    """
    return ConfusionMatrix(predictions, sound, sample_rate, first, named)
