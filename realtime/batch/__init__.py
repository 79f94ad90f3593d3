"""Whole libraries of videos and pictures, on the cores of one machine or on the machines of a Ray cluster.

`run.run_batch` is the way in. `inputs` finds the files, `work` says what is to be done, `convert` does it, `workers`
and `ray_cluster` are the two places where that happens, `manifest` remembers what is done.
"""
