"""jupyter_kernel_test's suite, for the kernel of the environment that this runs in."""

import unittest

import jupyter_kernel_test


class KernelConformance(jupyter_kernel_test.KernelTests):
    kernel_name = "tslens"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [{"text": "Math.flo", "matches": {"floor"}}]
    complete_code_samples = ["const x = 1", "function f(){ return 1 }", "%lsmagic"]
    incomplete_code_samples = ["function f(){", "const z = ["]
    invalid_code_samples = ["const = = 3"]
    code_generate_error = "throw new Error('boom')"
    code_execute_result = [{"code": "6*7", "result": "42"}]
    code_display_data = [
        {"code": "import { display, html } from 'tslens/widgets'; await display(html`<b>x</b>`)", "mime": "text/html"}
    ]
    code_inspect_sample = "Math.floor"
    code_history_pattern = "6*"
    supported_history_operations = ("tail", "range", "search")
    code_clear_output = "import { clearOutput } from 'tslens/widgets'; clearOutput()"


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "tslens"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
