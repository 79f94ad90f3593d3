#version 330
// Corners of separate triangles, each with its height over the opposite edge: interpolated, the distances to all three.
in vec3 position;   // pixels; z larger is nearer
in vec3 lit;        // line colour times light
in float height;    // pixels
in float strength;  // 0..1, of the lines

uniform vec4 box;
uniform vec2 depth;

out vec3 line_lit;
out vec3 distances;
flat out float line_strength;

void main() {
    gl_Position = vec4((position.xy - box.xy + 0.5) / box.zw * 2.0 - 1.0, (depth.x - position.z) / depth.y, 1.0);
    line_lit = lit;
    line_strength = strength;
    int corner = gl_VertexID % 3;
    distances = vec3(corner == 0, corner == 1, corner == 2) * height;
}
