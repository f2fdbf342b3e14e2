// Sets up, then opens the first tutorial in JupyterLab. Arguments go to `jupyter lab`.
import { pythonCommand, run } from "./environment.mjs";
import "./setup.mjs";

const notebook = "notebooks/tutorials/01-first-look.ipynb";
// Jupyter refuses to serve the superuser, whom containers often have alone, unless it is told to.
const root = process.getuid?.() === 0 ? ["--allow-root"] : [];
run("JupyterLab", pythonCommand("jupyter"), ["lab", notebook, ...root, ...process.argv.slice(2)]);
