"""The style of the page of findings: black on pale colours, each at 10:1 contrast or better.

Colour is never alone: a mark has a border and its kind's name behind it.
"""

COLOURS = (
    "#ffe08a", "#b8e0ff", "#c9f0c0", "#ffd0d0", "#e3d0ff", "#ffd9b0", "#c0f0ea", "#f5c6e8",
    "#dfe6b8", "#d6dbe4",
)  # fmt: skip

STYLE = """
:root{color-scheme:light}
body{margin:2rem auto;max-width:60rem;padding:0 1rem;color:#111;background:#fff;
 font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem}h2{font-size:1.1rem}h3{font-size:1rem;overflow-wrap:anywhere}
.pick{margin-right:1.2rem;display:inline-block}
input:focus-visible{outline:3px solid #0b57d0}
fieldset{margin:0 0 1rem;position:sticky;top:0;z-index:1;background:#fff;
 border:1px solid #999;border-radius:6px;max-height:30vh;overflow:auto}
@supports selector(:has(a)){article{display:none}}
article{border-top:1px solid #999;content-visibility:auto;
 contain-intrinsic-size:auto 9rem}
article p{margin:.2rem 0;font-size:.9rem}
.ku{background:#eee}
pre{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate;
 font:15px/1.7 ui-monospace,monospace}
.mark{color:#111;border:1px solid #555;border-radius:3px;padding:0 2px;unicode-bidi:plaintext}
.kind{font:11px system-ui,sans-serif;margin-left:3px;padding:0 3px;color:#fff;background:#333;
 border-radius:3px;user-select:none}
.code{font:11px ui-monospace,monospace;color:#7a0000;border:1px dotted #7a0000}
.warn{color:#7a0000;font-weight:600}
@media print{input{display:none}fieldset{margin:0 0 1rem;position:static;max-height:none}}
"""
