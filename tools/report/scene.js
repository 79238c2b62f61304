// Points in three dimensions, and the camera that goes around them.
function scene(canvas) {
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
  const world = new THREE.Scene(), camera = new THREE.PerspectiveCamera(45, 4 / 3, 0.01, 100), group = new THREE.Group();
  world.add(group);
  const count = points.id.length;
  const middle = axis => points[axis].reduce((a, b) => a + b, 0) / count;
  const [mx, my, mz] = ["x", "y", "z"].map(middle);
  let reach = 1e-9;
  for (let i = 0; i < count; ++i) reach = Math.max(reach, Math.hypot(points.x[i] - mx, points.y[i] - my, points.z[i] - mz));
  const place = i => [(points.x[i] - mx) / reach, (points.y[i] - my) / reach, (points.z[i] - mz) / reach];

  function sprite(shape) {
    const c = document.createElement("canvas"), g = c.getContext("2d");
    c.width = c.height = 64;
    g.fillStyle = "#fff";
    g.beginPath();
    if (shape === "circle") g.arc(32, 32, 28, 0, 7);
    else if (shape === "square") g.rect(8, 8, 48, 48);
    else { g.moveTo(32, 4); g.lineTo(60, 56); g.lineTo(4, 56); }
    g.fill();
    return new THREE.CanvasTexture(c);
  }
  const sprites = Object.fromEntries(SHAPES.map(s => [s, sprite(s)]));
  const marker = new THREE.Points(new THREE.BufferGeometry(),
    new THREE.PointsMaterial({ size: 0.09, map: sprites.circle, alphaTest: 0.5, transparent: true, opacity: 0.5, color: 0x888888 }));
  marker.visible = false;

  const view = { yaw: 0.6, pitch: 0.35, distance: 2.5 };
  function draw() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    view.pitch = Math.max(-1.5, Math.min(1.5, view.pitch));
    view.distance = Math.max(0.5, Math.min(8, view.distance));
    camera.aspect = width / height;
    const flat = view.distance * Math.cos(view.pitch);
    camera.position.set(flat * Math.sin(view.yaw), view.distance * Math.sin(view.pitch), flat * Math.cos(view.yaw));
    camera.lookAt(0, 0, 0);
    camera.updateProjectionMatrix();
    renderer.render(world, camera);
  }

  // kind(i): the number that gives a point its colour and shape, or null where it is not drawn.
  function show(kind) {
    for (const child of group.children) child.geometry.dispose();
    group.remove(...group.children);
    for (const shape of SHAPES) {
      const positions = [], colours = [];
      for (let i = 0; i < count; ++i) {
        const k = kind(i);
        if (k === null || shapeOf(k) !== shape) continue;
        positions.push(...place(i));
        const c = new THREE.Color(colourOf(k));
        colours.push(c.r, c.g, c.b);
      }
      const geometry = new THREE.BufferGeometry();
      geometry.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3));
      geometry.setAttribute("color", new THREE.Float32BufferAttribute(colours, 3));
      group.add(new THREE.Points(geometry, new THREE.PointsMaterial({ size: count > 3000 ? 0.03 : 0.05, map: sprites[shape], vertexColors: THREE.VertexColors,
        alphaTest: 0.5, transparent: true })));
    }
    group.add(marker);
    draw();
  }

  function mark(i) {
    marker.visible = true;
    marker.geometry.dispose();
    marker.geometry = new THREE.BufferGeometry();
    marker.geometry.setAttribute("position", new THREE.Float32BufferAttribute(place(i), 3));
    draw();
  }

  // The point that `drawn` allows nearest to a place on the canvas, within 12 pixels; -1 without one.
  function under(px, py, drawn) {
    const width = canvas.clientWidth, height = canvas.clientHeight, v = new THREE.Vector3();
    let best = -1, least = 144;
    for (let i = 0; i < count; ++i) {
      if (!drawn(i)) continue;
      v.set(...place(i)).project(camera);
      const far = ((v.x + 1) * width / 2 - px) ** 2 + ((1 - v.y) * height / 2 - py) ** 2;
      if (far < least) { least = far; best = i; }
    }
    return best;
  }
  return { view, draw, show, mark, under };
}
