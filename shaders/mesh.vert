#version 330
// A mesh in pixels of a box (x right, y down, centres at integers) to clip space. Row 0 of the box is row 0 of the
// frame buffer, so what is read back already stands upright.
in vec3 position;   // pixels; z larger is nearer
in vec4 lit;        // colour times light, light
in vec2 uv;

uniform vec4 box;   // left, top, width, height of the part that is drawn, pixels
uniform vec2 depth; // middle and half range of z

out vec4 surface_lit;
out vec2 surface_uv;

void main() {
    gl_Position = vec4((position.xy - box.xy + 0.5) / box.zw * 2.0 - 1.0, (depth.x - position.z) / depth.y, 1.0);
    surface_lit = lit;
    surface_uv = uv;
}
