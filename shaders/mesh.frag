#version 330
// Colour, and over it the premultiplied texture times the light.
in vec4 surface_lit;
in vec2 surface_uv;

uniform sampler2D surface; // premultiplied

out vec4 colour;

void main() {
    vec4 over = texture(surface, surface_uv);
    colour = vec4(surface_lit.rgb * (1.0 - over.a) + over.rgb * surface_lit.a, 1.0);
}
