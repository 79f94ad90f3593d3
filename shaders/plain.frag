#version 330
// Colour alone: on software GL even a texture of one clear texel would cost a fifth of the picture.
in vec4 surface_lit;

out vec4 colour;

void main() {
    colour = vec4(surface_lit.rgb, 1.0);
}
