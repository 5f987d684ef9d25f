"""Mixtures: which sequences a run sees, in which order, as a pure function of one integer."""

from halocline_pipelines.mixture.mixture import Mixture, MixtureSource
from halocline_pipelines.mixture.sampler import Draws, Sampler

__all__ = ["Draws", "Mixture", "MixtureSource", "Sampler"]
