import { defineMagic, type Magic } from "../magic.js";

const magic: Magic = defineMagic({
  name: "reset",
  kind: "line",
  summary: "Forgets all variables, those that this cell declares among them, and the model of the magics.",
  example: "%reset",
  typescript: "// restarting the kernel forgets the variables too, and what modules remember",
  run({ session, reset }) {
    session.clear();
    reset();
  },
});

export default magic;
