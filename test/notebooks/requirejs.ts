/** As much of RequireJS as exported pages need to show their widgets: named modules, and scripts by their paths. */
export const requireScript = `
(() => {
  const defined = {}, wanted = {}, paths = {};
  window.define = (name, needs, make) => { if (typeof name === "string") defined[name] = { needs, make }; };
  window.define.amd = {};
  const script = (src) => new Promise((done, fail) => {
    document.head.append(Object.assign(document.createElement("script"), { src, onload: done, onerror: fail }));
  });
  const load = (name) => (wanted[name] ??= (async () => {
    if (!defined[name]) {
      if (!paths[name]) throw Object.assign(new Error("There is no module " + name), { requireModules: [name] });
      await script(paths[name] + ".js");
    }
    const { needs, make } = defined[name];
    const module = { id: name, uri: "", exports: {} };
    const special = { module, exports: module.exports };
    const given = await Promise.all(needs.filter((need) => need !== "require").map(async (need) => [need, special[need] ?? (await load(need))]));
    const values = Object.fromEntries(given);
    values.require = (need) => values[need];
    return make(...needs.map((need) => values[need])) ?? module.exports;
  })());
  window.requirejs = (names, done, fail) => Promise.all(names.map(load)).then((values) => done?.(...values), fail);
  window.requirejs.config = (settings) => Object.assign(paths, settings.paths);
  window.requirejs.undef = (name) => delete wanted[name];
  window.require = window.requirejs;
})();
`;
