"""The main job, told as a story of nine steps on real input; `halocline demo` runs it."""
