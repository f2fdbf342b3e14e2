import { DOMWidgetModel, DOMWidgetView } from "@jupyter-widgets/base";
import { identityOf } from "../version.js";
import type { Render, ViewModel } from "./contract.js";

/**
 * The model and view classes of a widget for `@jupyter-widgets/base`, around a host-neutral view.
 *
 * @param binary the attributes that hold buffers: base would send and save them through JSON, which destroys them
 */
export function jupyterWidget<S extends object>(
  name: string,
  defaults: S,
  binary: readonly (keyof S & string)[],
  render: Render<S>,
): { Model: typeof DOMWidgetModel; View: typeof DOMWidgetView } {
  class Model extends DOMWidgetModel {
    static override serializers = {
      ...DOMWidgetModel.serializers,
      ...Object.fromEntries(binary.map((attribute) => [attribute, { serialize: (value: unknown) => value }])),
    };

    override defaults() {
      return { ...super.defaults(), ...identityOf(name), ...defaults };
    }
  }

  class View extends DOMWidgetView {
    private cleanup: (() => void) | undefined;

    override render(): void {
      super.render();
      this.cleanup = render({ model: this.model as unknown as ViewModel<S>, el: this.el });
    }

    override remove() {
      this.cleanup?.();
      this.cleanup = undefined;
      return super.remove();
    }
  }
  return { Model, View };
}
