// Sets up, then opens the first tutorial in JupyterLab. Arguments go to `jupyter lab`.
import { pythonCommand, run } from "./environment.mjs";
import "./setup.mjs";

const notebook = "notebooks/tutorials/01-first-look.ipynb";
run("JupyterLab", pythonCommand("jupyter"), ["lab", notebook, ...process.argv.slice(2)]);
