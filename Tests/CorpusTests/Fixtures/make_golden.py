#!/usr/bin/env python3
"""Makes the TextGrids beside it, as other programs write them:

    pip install praatio==6.2.2 tgt==1.5 && python make_golden.py

praatio-long and praatio-short hold the tiers `words` (intervals), `phones` (intervals) and `onsets`
(points); praatio-utf16 is the long one as Praat itself writes it where a label is not ASCII: UTF-16 with
a byte order mark; tgt.TextGrid is the tier `phones` alone, by another library.
"""

from pathlib import Path

import tgt
from praatio import textgrid

HERE = Path(__file__).parent
PHONES = [(0.0, 0.11, "sil"), (0.11, 0.2, "ʃ"), (0.2, 0.35, 'say "iː"'), (0.35, 0.5, "")]

grid = textgrid.Textgrid()
grid.addTier(textgrid.IntervalTier("words", [(0.11, 0.35, "she")], 0, 0.5))
grid.addTier(textgrid.IntervalTier("phones", PHONES, 0, 0.5))
grid.addTier(textgrid.PointTier("onsets", [(0.11, "ʃ"), (0.2, "iː")], 0, 0.5))
for form in ["long", "short"]:
    grid.save(HERE / f"praatio-{form}.TextGrid", f"{form}_textgrid", includeBlankSpaces=True)
text = (HERE / "praatio-long.TextGrid").read_text(encoding="utf-8")
(HERE / "praatio-utf16.TextGrid").write_bytes(b"\xfe\xff" + text.encode("utf-16-be"))

single = tgt.TextGrid()
tier = tgt.IntervalTier(0, 0.5, "phones")
for start, end, label in PHONES:
    tier.add_interval(tgt.Interval(start, end, label))
single.add_tier(tier)
tgt.io.write_to_file(single, HERE / "tgt.TextGrid", format="short")

# The same phones as crowsetta writes TIMIT's and Audacity's labels, and as lhotse writes a CTM:
#
#   pip install crowsetta==5.1.2 lhotse==1.33.0 urllib3
import numpy as np
from crowsetta.formats.seq.audseq import AudSeq
from crowsetta.formats.seq.timit import Timit
from lhotse import SupervisionSegment, SupervisionSet
from lhotse.supervision import AlignmentItem

labels = np.array(["sil", "sh", "iy", "sil"])
starts = np.array([start for start, _, _ in PHONES])
ends = np.array([end for _, end, _ in PHONES])
samples = [np.round(16000 * times).astype(int) for times in (starts, ends)]
for name in ["crowsetta.PHN", "crowsetta.WRD"]:
    Timit(*samples, labels, HERE / name).to_file(HERE / name)
AudSeq(starts, ends, labels, HERE / "crowsetta.txt").to_file(HERE / "crowsetta.txt")
items = [
    AlignmentItem(symbol=label, start=start, duration=round(end - start, 4))
    for start, end, label in zip(starts, ends, labels)
]
segment = SupervisionSegment("u", "r", 0, 0.5, channel=1, alignment={"phone": items})
SupervisionSet.from_segments([segment]).write_alignment_to_ctm(HERE / "lhotse.ctm", type="phone")
