#version 330
// Texture times light, with holes where the texture is clear.
in vec4 surface_lit;
in vec2 surface_uv;

uniform sampler2D surface; // premultiplied
uniform float least;       // alpha below which nothing is there

out vec4 colour;

void main() {
    vec4 over = texture(surface, surface_uv);
    if (over.a < least)
        discard;
    colour = vec4(over.rgb / over.a * surface_lit.a, 1.0);
}
