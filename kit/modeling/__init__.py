"""Models: backbones, windows, heads, inference."""

from kit.threads import let_threads_sleep

let_threads_sleep()  # torch reads the setting when it is imported, which modules of this room do
