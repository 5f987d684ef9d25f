"""Pure tensor operations: no labels, no policies, no I/O.

Every operation is a folder: `reference` in torch is the semantic truth and what runs on a CPU,
`triton` is the kernel that runs on CUDA and is tested against it.
"""
