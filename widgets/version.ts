import type { WidgetIdentity } from "./host.js";

/** The npm name of the browser half, which is also the module's name on the wire. */
export const moduleName = "tslens-widgets";

/**
 * The exact version of the browser half. Front ends that fetch it from a CDN ask for exactly what is sent here, so
 * the build refuses a version that is not the one of `package.json`.
 */
export const version = "0.1.0";

/**
 * The wire names of one widget.
 *
 * @param name the widget's name in PascalCase; its classes are `<name>Model` and `<name>View`
 */
export function identityOf(name: string): WidgetIdentity {
  return {
    _model_module: moduleName,
    _model_module_version: version,
    _model_name: `${name}Model`,
    _view_module: moduleName,
    _view_module_version: version,
    _view_name: `${name}View`,
  };
}
