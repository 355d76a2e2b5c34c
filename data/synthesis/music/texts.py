"""What is written beside the music: licence, description, README."""

LICENCE = """The music in this archive was made by computer programs.
Its makers waive all rights in it: CC0 1.0 Universal
(https://creativecommons.org/publicdomain/zero/1.0/).

The instruments are those of the sound font FluidR3_GM, whose licence is MIT:
Copyright (c) 2000-2002, 2008 Frank Wen, 2008 Toby Smithe.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
DESCRIPTION = (
    "{tracks} clips of ten seconds of synthetic music by {artists} artists in eight genres, in the"
    " layout of FMA: A Dataset for Music Analysis (fma_small)."
)
HOW_MADE = (
    "Each genre has five to seven styles (data/synthesis/music/genres); an artist has one of them,"
    " with instruments, patterns, habits and a sound of its own, and {borrowers:.0%} borrow a"
    " player or the drums from a neighbouring genre. fluidsynth plays the notes with FluidR3_GM,"
    " effects, mixing and mastering follow, lame encodes. Nobody sings."
)
README = """# FMA mini

{description}

`fma_small/NNN/NNNNNN.mp3` holds the clips, {each} by each artist, most of them mono, 22,050 Hz and
32 kbit/s. `fma_metadata/tracks.csv` has FMA's two rows of headers and the official split: no artist
is in two parts. `fma_metadata/genres.csv` has FMA's numbers of the genres. No person was recorded.
"""
