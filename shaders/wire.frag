#version 330
// Premultiplied edges, faded over one pixel; between them alpha 1/255 still marks what is covered.
in vec3 line_lit;
in vec3 distances;
flat in float line_strength;

uniform float half_width; // pixels

out vec4 colour;

void main() {
    float line = clamp(half_width + 0.5 - min(min(distances.x, distances.y), distances.z), 0.0, 1.0) * line_strength;
    colour = vec4(min(line_lit, 1.0) * line, max(line, 1.0 / 255.0));
}
