"""The data factory: photographs and synthetic heads wearing procedural 3D eyeglasses, with every layer as a label."""
