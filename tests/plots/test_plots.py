"""Figures: their words are right, their axes have units, and a notebook stores both."""

import base64
from io import BytesIO

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from course_utils import features, plots

RATE = 16000


def tone(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def said(ax) -> str:
    return plots.alt_text(ax.figure)


def test_a_waveform_says_when_it_is_loudest(ax):
    samples = np.zeros(8000, np.float32)
    samples[2000], samples[6000] = 0.25, -0.75
    plots.waveform(ax, samples, 8000, "a click")
    expected = "8000 samples from 0.000 to 1.000 s; the largest amplitude is 0.75 at 0.750 s."
    assert said(ax) == f"Waveform of a click: {expected}"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "amplitude")
    assert ax.get_title(loc="left") == "a click"


def test_a_part_of_a_waveform_keeps_its_place_in_time(ax):
    samples = np.zeros(80, np.float32)
    samples[40] = 1
    plots.waveform(ax, samples, 8000, start_s=0.5, dots=True)
    assert "80 samples from 0.500 to 0.510 s" in said(ax)
    assert "1.00 at 0.505 s" in said(ax)
    (line,) = ax.lines
    assert line.get_xdata()[40] == pytest.approx(0.505) and line.get_ydata()[40] == 1
    assert line.get_marker() == "o"


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("hertz", [500, 3000])
def test_a_spectrogram_names_the_frequency_of_a_tone(ax, rate, hertz):
    power = features.power_spectrogram(tone(hertz, rate=rate), rate)
    plots.spectrogram(ax, 10 * np.log10(np.maximum(power, 1e-12)), rate, title="a tone")
    found = float(said(ax).rpartition("near ")[2].split(" Hz")[0])
    assert found == pytest.approx(hertz, abs=rate / (2 * (power.shape[1] - 1)))
    assert "Spectrogram of a tone" in said(ax) and f"{len(power)} frames" in said(ax)


def test_a_spectrogram_says_when_and_how_loud(ax):
    samples = tone(1000) * 1e-3
    samples[9600:11200] *= 1000  # 0.6 to 0.7 s
    table = 10 * np.log10(features.power_spectrogram(samples, RATE) + 1e-12)
    plots.spectrogram(ax, table, RATE)
    second = float(said(ax).partition("highest on average at ")[2].split(" s")[0])
    assert 0.59 < second < 0.71
    low, high = said(ax).partition("power (dB) from ")[2].split(";")[0].split(" to ")
    assert float(low) == pytest.approx(table.min(), rel=1e-3)
    assert float(high) == pytest.approx(table.max(), rel=1e-3)


def test_a_spectrograms_axis_is_in_hertz_and_its_ticks_sit_where_they_say(ax):
    plots.spectrogram(ax, np.zeros((98, 257)), RATE)
    assert ax.get_xlabel() == "time (s)" and ax.get_ylabel() == "frequency (Hz)"
    labels = [float(label.get_text()) for label in ax.get_yticklabels()]
    assert labels == [0, 2000, 4000, 6000, 8000]
    assert np.allclose(ax.get_yticks() * RATE / 512, labels)


def test_words_are_about_the_frequencies_in_the_picture(ax):
    power = features.power_spectrogram(tone(1000) + 0.1 * tone(5000), RATE)
    plots.spectrogram(ax, 10 * np.log10(power + 1e-12), RATE, hertz=(4000, 6000))
    assert "98 frames by 65 columns" in said(ax) and "Shown are 4000 to 6000 Hz." in said(ax)
    assert "The maximum is near 5000 Hz" in said(ax), "1000 Hz is louder, and not in the picture"


def test_words_about_a_narrow_range_are_about_its_only_bin(ax):
    table = np.zeros((10, 33))
    table[3, 4] = 7
    plots.spectrogram(ax, table, RATE, hertz=(970, 1090))
    assert "10 frames by 1 columns, power (dB) from 0 to 7;" in said(ax)
    assert "near 1000 Hz in frame 3" in said(ax)


def test_a_frame_is_drawn_around_the_middle_of_its_window(ax):
    plots.spectrogram(ax, np.zeros((98, 257)), RATE, window_ms=30, stride_ms=10)
    left, right, bottom, top = ax.images[0].get_extent()
    first_middle, last_middle = left + 0.005, right - 0.005
    assert first_middle == pytest.approx(0.015) and last_middle == pytest.approx(0.97 + 0.015)
    assert (bottom, top) == (-0.5, 256.5)


def test_a_mel_spectrogram_has_round_frequencies_where_their_bands_are(ax):
    values = features.log_mel(tone(1000), RATE, n_mels=40)
    plots.mel_spectrogram(ax, values, title="a tone")
    assert ax.get_ylabel() == "frequency (Hz), mel scale"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["100", "500", "1000", "2000"]
    centres = features.mel_filterbank(257, RATE).argmax(axis=0) * RATE / 512
    for place, label in zip(ax.get_yticks(), labels, strict=True):
        near = np.interp(place, np.arange(40), centres)
        assert near == pytest.approx(float(label), abs=40)
    assert "Mel spectrogram of a tone: 98 frames by 40 columns" in said(ax)
    assert "natural" in ax.images[0].colorbar.ax.get_ylabel()


def test_a_narrow_range_without_round_frequencies_keeps_its_bands_own():
    bands, labels = plots.mel_ticks(8, 3000, 3900)
    assert list(bands) == [0, 2, 4, 5, 7]
    assert all(3000 < int(label) < 3900 for label in labels) and len(labels) == 5


def test_coefficients_count_from_the_first_one_shown(ax):
    values = np.zeros((20, 13))
    values[:, 0], values[5, 3], values[7, 4] = 100, 2, -3
    plots.coefficients(ax, values, first=1)
    assert "20 frames by 12 columns, value from -3 to 2;" in said(ax)
    labels = [int(label.get_text()) for label in ax.get_yticklabels()]
    assert len(labels) > 1 and labels == [row + 1 for row in ax.get_yticks()]
    assert ax.get_ylabel() == "coefficient"


def test_limits_are_used_for_the_colours(ax):
    plots.spectrogram(ax, np.zeros((10, 5)), RATE, limits=(-70, 0))
    assert ax.images[0].get_clim() == (-70, 0)


def test_lines_give_ends_and_maximum_of_every_curve(ax):
    x = np.arange(5) / 10
    curves = {"rises": np.array([0, 1, 2, 3, 4]), "peaks": np.array([1, 2, 9, 2, 0.5])}
    plots.lines(ax, x, curves, "time (s)", "level (dB)", "two curves")
    first, second = said(ax).split("; ")
    assert first == (
        "level (dB) over time (s) of two curves: rises goes from 0 to 4, with its maximum 4 at 0.4"
    )
    assert second == "peaks goes from 1 to 0.5, with its maximum 9 at 0.2."
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rises", "peaks"]
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 2
    assert len({line.get_linestyle() for line in ax.lines}) == 2, "grey print needs dashes"


def test_dotted_curves_are_drawn_heavier(ax):
    plots.lines(ax, np.arange(3), {str(k): np.arange(3) + k for k in range(5)}, "x", "y")
    heavy = [line.get_linewidth() > 2 for line in ax.lines]
    assert heavy == [False, False, False, True, True]


def test_one_curve_needs_no_legend(ax):
    plots.lines(ax, np.arange(3), {"": np.array([1, 5, 2])}, "frequency (Hz)", "level (dB)")
    assert ax.get_legend() is None
    assert "the curve goes from 1 to 2, with its maximum 5 at 1" in said(ax)


def test_a_sixth_curve_is_refused(ax):
    curves = {f"curve {number}": np.arange(3) * number for number in range(1, 7)}
    with pytest.raises(ValueError, match="6 curves for one axes; expected at most 5"):
        plots.lines(ax, np.arange(3), curves, "time (s)", "amplitude")


def test_bars_are_listed_from_top_to_bottom(ax):
    plots.bars(ax, {"yes": 0.5, "no": 0.125}, "share of clips", "words")
    assert said(ax) == "Bars of share of clips of words: yes 0.5, no 0.125."
    ax.figure.canvas.draw()
    by_name = dict(
        zip(
            [label.get_text() for label in ax.get_yticklabels()],
            [(bar.get_y(), bar.get_width()) for bar in ax.patches],
            strict=True,
        )
    )
    assert by_name["yes"][1] == 0.5 and by_name["no"][1] == 0.125
    assert by_name["yes"][0] > by_name["no"][0]


def test_marks_are_added_to_what_was_said(ax):
    plots.waveform(ax, tone(100), RATE)
    before = said(ax)
    plots.mark(ax, [(0.25, 0.5, "vowel"), (0.5, 0.625, "gap")])
    assert said(ax) == f"{before} Marked: vowel from 0.25 to 0.50, gap from 0.50 to 0.62."
    assert [text.get_text() for text in ax.texts] == ["vowel", "gap"]


def test_every_picture_has_a_colour_bar_with_its_unit_and_it_needs_no_words(ax):
    plots.spectrogram(ax, np.zeros((10, 5)), RATE)
    bars = [other for other in ax.figure.axes if other is not ax]
    assert [bar.get_ylabel() for bar in bars] == ["power (dB)"]
    assert said(ax).count("Spectrogram") == 1


def test_axes_without_words_are_refused(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figure, (upper, lower) = plots.figure(2)
    plots.waveform(upper, tone(100), RATE)
    lower.plot([1, 2])
    with pytest.raises(ValueError, match=r"1 of 2 axes have no description; .*plots\.describe"):
        plots.show(figure)
    assert not shown
    plots.describe(lower, "A line that rises.")
    assert plots.alt_text(figure).endswith("at 0.003 s. A line that rises.")
    plots.show(figure)
    assert len(shown) == 1
    assert not plt.get_fignums(), "a shown figure would be drawn a second time by the notebook"


def test_a_shared_time_axis_is_labelled_once_at_the_bottom(monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda image: None)
    figure, axes = plots.figure(2, sharex=True)
    for each in axes:
        plots.waveform(each, tone(100), RATE)
    plots.show(figure)
    assert [each.get_xlabel() for each in axes] == ["", "time (s)"]


def test_axes_of_their_own_keep_their_labels(monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda image: None)
    figure, axes = plots.figure(2)
    for each in axes:
        plots.waveform(each, tone(100), RATE)
    plots.show(figure)
    assert [each.get_xlabel() for each in axes] == ["time (s)"] * 2


def test_the_png_holds_the_figure_on_white_in_few_colours(ax):
    plots.waveform(ax, tone(100), RATE)
    ax.figure.set_size_inches(5, 2)
    image = Image.open(BytesIO(plots.to_png(ax.figure)))
    assert image.format == "PNG" and image.mode == "P"
    assert image.size == (5 * ax.figure.dpi, 2 * ax.figure.dpi)
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert pixels.max(axis=0).tolist() == [255, 255, 255]
    assert (pixels == 255).all(axis=1).mean() > 0.3
    blue = np.array([0x00, 0x72, 0xB2])
    assert np.abs(pixels.astype(int) - blue).sum(axis=1).min() < 30, "the curve is drawn"


def test_rare_colours_of_a_colour_bar_survive_in_the_png():
    figure, axes = plots.figure(1, 3, height=3, width=13)
    for each in axes:
        noise = np.random.default_rng(0).uniform(-90, -20, (96, 96))
        plots.mel_spectrogram(each, noise, limits=(-90, -10))
    figure.canvas.draw()
    figure.set_layout_engine("none")  # the layout moves a little each time it is made
    drawn = BytesIO()
    figure.savefig(drawn, format="png", facecolor="white")
    true = np.asarray(Image.open(drawn).convert("RGB")).astype(int)
    kept = np.asarray(Image.open(BytesIO(plots.to_png(figure))).convert("RGB"))
    assert np.abs(kept - true).max() < 10


def test_lines_differ_for_the_colour_blind_and_in_grey():
    assert len(set(plots.COLOURS)) == len(set(plots.LINE_STYLES)) == 5
    greys = plt.get_cmap(plots.COLOUR_MAP)(np.linspace(0, 1, 64))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(greys) > 0).all(), "brightness has to rise from low to high"


def test_a_notebook_stores_the_picture_with_its_words(tmp_path):
    source = """\
import numpy as np
from course_utils import plots
plots.use_style()
figure, (upper, lower) = plots.figure(2)
plots.waveform(upper, np.linspace(-0.25, 0.5, 100), 100, 'a "ramp"')
plots.spectrogram(lower, np.eye(20), 8000)
plots.show(figure)"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    Image.open(BytesIO(base64.b64decode(output.data["image/png"]))).verify()
    alt = output.metadata["image/png"]["alt"]
    assert alt.startswith('Waveform of a "ramp": 100 samples from 0.000 to 0.990 s; the largest')
    assert "Spectrogram: 20 frames by 20 columns" in alt
    nbformat.validate(notebook)


def test_a_widget_gets_the_very_pixels_of_the_canvas():
    canvas = FigureCanvasAgg(Figure(figsize=(2, 1), dpi=50))
    canvas.figure.add_subplot().plot([0, 1])
    canvas.draw()
    shown = plots.html_image(canvas, 'a "<line>"', "max-width:9px")
    assert shown.startswith('<img alt="a &quot;&lt;line&gt;&quot;" src="data:image/png;base64,')
    assert shown.endswith('" style="max-width:9px">')
    assert "style" not in plots.html_image(canvas, "a line")
    png = base64.b64decode(shown.split("base64,")[1].split('"')[0])
    pixels = np.asarray(Image.open(BytesIO(png)))
    np.testing.assert_array_equal(pixels, np.asarray(canvas.buffer_rgba())[..., :3])
