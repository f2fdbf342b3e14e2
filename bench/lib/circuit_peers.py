"""Times auto-circuit on request: a JSON request a line on stdin, a JSON answer a line on stdout.

Arguments: the folder of common.py, which loads the model. Runs in an environment of its own, since it needs an old
TransformerLens.
"""
import functools, json, os, sys, time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print does not belong between the answers
sys.path.insert(0, sys.argv[1])
import common

torch = common.setup_torch()


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


@functools.lru_cache(maxsize=None)
def task(model, clean, corrupt):
    """The model with its edges, and the prompts, as bench_acdc.py of the harness has them."""
    from auto_circuit.data import PromptDataLoader, PromptDataset
    from auto_circuit.utils.graph_utils import patchable_model
    net = common.load_tl(path=model)
    for key in ("use_attn_result", "use_attn_in", "use_split_qkv_input", "use_hook_mlp_in"):
        setattr(net.cfg, key, True)
    for parameter in net.parameters():
        parameter.requires_grad = False
    rows = len(clean)
    prompts = PromptDataset(torch.tensor(clean), torch.tensor(corrupt), [torch.tensor([11])] * rows, [torch.tensor([22])] * rows)
    loader = PromptDataLoader(prompts, seq_len=len(clean[0]), diverge_idx=0, batch_size=rows)
    edges = patchable_model(net, factorized=True, slice_output="last_seq", separate_qkv=True, device=torch.device("cpu"))
    return edges, loader


def rank(model, clean, corrupt, steps=None):
    """Scores of all edges: EAP, or with integrated gradients."""
    from auto_circuit.prune_algos.mask_gradient import mask_gradient_prune_scores
    edges, loader = task(model, clean, corrupt)
    how = dict(mask_val=0.0) if steps is None else dict(integrated_grad_samples=steps)
    return timed(lambda: mask_gradient_prune_scores(edges, loader, None, "logit", "avg_diff", **how))


@functools.lru_cache(maxsize=None)
def scores(model, clean, corrupt):
    return rank(model, clean, corrupt)[1]


def evaluate(model, clean, corrupt, kept):
    """The outputs of the circuit of the edges with the largest scores."""
    from auto_circuit.prune import run_circuits
    from auto_circuit.types import PatchType
    edges, loader = task(model, clean, corrupt)
    ranking = scores(model, clean, corrupt)
    seconds, _ = timed(lambda: run_circuits(edges, loader, [kept], ranking, PatchType.TREE_PATCH))
    return seconds, None


@functools.lru_cache(maxsize=None)
def search(model, clean, corrupt):
    """What ACDC's inner loop needs, made once."""
    from auto_circuit.utils.ablation_activations import src_ablations
    edges, loader = task(model, clean, corrupt)
    batch = next(iter(loader))
    with torch.inference_mode():
        outputs = torch.log_softmax(edges(batch.clean)[edges.out_slice], -1)
        _, tokens, positions, mask = edges.input_to_embed(batch.clean)
        cache = edges.run_with_cache(batch.clean)[1]
        residuals = [cache[f"blocks.{layer}.hook_resid_pre"].clone() for layer in range(edges.cfg.n_layers)]
    own, other = src_ablations(edges, batch.clean), src_ablations(edges, batch.corrupt)
    return edges, own, other, outputs, residuals, dict(tokens=tokens, shortformer_pos_embed=positions, attention_mask=mask)


def edge(model, clean, corrupt, layer, number):
    """One step of ACDC: an edge into a layer is cut, and the model runs from there on."""
    from auto_circuit.utils.graph_utils import patch_mode, set_all_masks
    from auto_circuit.utils.tensor_ops import multibatch_kl_div
    edges, own, other, outputs, residuals, inputs = search(model, clean, corrupt)
    into = sorted((e for e in edges.edges if e.dest.module_name.startswith(f"blocks.{layer}.")), key=lambda e: e.name)
    chosen = into[number % len(into)]
    set_all_masks(edges, val=0.0)
    with patch_mode(edges, other, curr_src_outs=own):
        def step():
            chosen.patch_mask(edges).data[chosen.patch_idx] = 1.0
            with torch.inference_mode():
                run = edges(residuals[layer], start_at_layer=layer, **inputs)[edges.out_slice]
            divergence = multibatch_kl_div(torch.log_softmax(run, -1), outputs).item()
            chosen.patch_mask(edges).data[chosen.patch_idx] = 0.0
            return divergence
        seconds, divergence = timed(step)
    return seconds, dict(edges=len(into), all=len(edges.edges), divergence=divergence)


tasks = dict(rank=rank, evaluate=evaluate, edge=edge)
for line in sys.stdin:
    request = json.loads(line)
    try:
        for name in ("clean", "corrupt"):
            request[name] = tuple(map(tuple, request[name]))
        seconds, result = tasks[request.pop("task")](**request)
        answer = dict(seconds=seconds, result=None if torch.is_tensor(result) or isinstance(result, dict) and "edges" not in result else result)
    except Exception as error:
        answer = dict(error=f"{type(error).__name__}: {str(error)[:500]}")
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
