"""A small residual network that learns to tell a study's own regions apart: the encoder `study-cnn`.

`network` is what is trained, `augment` what it is shown, `training` how, `checkpoints` what survives a kill, `encoder`
what is left of it for ranking. Nothing here is imported by the web process: torch is heavy.
"""
