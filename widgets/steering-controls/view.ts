import type { Render } from "../browser/contract.js";
import { widgetRoot } from "../browser/style.js";
import type { SteeringControlsState } from "./state.js";
export const render: Render<SteeringControlsState> = ({ el }) => {
  const root = widgetRoot(el, "steering", "Steering controls", "");
  return () => root.remove();
};
export default { render };
