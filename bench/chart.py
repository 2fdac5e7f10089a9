"""SVG charts; the same figures give the same bytes."""

import matplotlib as mpl
from matplotlib.figure import Figure

from bench import report

OURS, OTHERS = "#c2410c", "#94a3b8"

mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "vitrina", "font.family": "sans-serif"}


def bars(name: str, panels: dict[str, dict[str, float]], ours: str) -> None:
    """Draw docs/benchmarks/NAME.svg: a panel of bars per title, side by side, ours in colour.

    Every panel maps the same labels to its own figures.
    """
    figure = Figure(figsize=(10, 0.45 * len(next(iter(panels.values()))) + 1), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (title, values) in zip(axes, panels.items(), strict=True):
        colours = [OURS if label == ours else OTHERS for label in values]
        drawn = axis.barh(list(values), list(values.values()), color=colours)
        axis.bar_label(drawn, [f"{value:,.0f}" for value in values.values()], padding=3)
        axis.set_title(title, fontsize=10, loc="left")
        axis.margins(x=0.18)
        axis.xaxis.set_visible(False)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
    axes[0].invert_yaxis()
    report.CHARTS.mkdir(exist_ok=True)
    file = report.CHARTS / f"{name}.svg"
    figure.savefig(file, metadata={"Date": None}, facecolor="white")
