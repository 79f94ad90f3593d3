#version 330
// Premultiplied edges, faded over one pixel; between them alpha 1/255 still marks what is covered.
const float LINE_HALF_WIDTH = 0.5; // pixels

in vec3 line_lit;
in vec3 distances;
flat in float line_strength;

out vec4 colour;

void main() {
    float line = clamp(LINE_HALF_WIDTH + 0.5 - min(min(distances.x, distances.y), distances.z), 0.0, 1.0) * line_strength;
    colour = vec4(min(line_lit, 1.0) * line, max(line, 1.0 / 255.0));
}
