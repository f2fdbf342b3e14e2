/** The operator table: every operator's shape rule, gradient rule and ONNX emission. Importing this file fills it. */

import { defineOperators } from "../value.js";
import { activations } from "./activations.js";
import { convolutions } from "./convolution.js";
import { dynamic } from "./dynamic.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { leaf } from "./leaf.js";
import { opaque } from "./opaque.js";
import { product } from "./product.js";
import { quantized } from "./quantized.js";
import { recurrence } from "./recurrence.js";
import { reduce } from "./reduce.js";
import { shape } from "./shape.js";

defineOperators(leaf);
defineOperators(elementwise);
defineOperators(reduce);
defineOperators(product);
defineOperators(shape);
defineOperators(indexing);
defineOperators(quantized);
defineOperators(opaque);
defineOperators(activations);
defineOperators(dynamic);
defineOperators(convolutions);
defineOperators(recurrence);
