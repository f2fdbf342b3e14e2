"""Times Python libraries on request: a JSON request a line on stdin, a JSON answer a line on stdout.

Arguments: the folder of common.py, which loads the libraries' models. With "ready" or "memory" as a further argument the
process does one thing, freshly started, and ends.
"""
import functools, json, os, sys, time

start = time.perf_counter()
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print does not belong between the answers
sys.path.insert(0, sys.argv[1])


def answer(**fields):
    answers.write(json.dumps(fields) + "\n")
    answers.flush()


def memory():
    with open("/proc/self/smaps_rollup") as rollup, open("/proc/self/status") as status:
        sizes = dict(line.split(":", 1) for line in [*rollup, *status] if ":" in line)
    kilobytes = lambda name: 1024 * int(sizes[name].split()[0])
    return dict(resident=kilobytes("Rss"), anonymous=kilobytes("Anonymous"), peak=kilobytes("VmHWM"))


def load(peer, model):
    import common
    return {"hf": common.load_hf, "tl": common.load_tl}[peer](path=model)


loaded = functools.lru_cache(maxsize=None)(load)


@functools.lru_cache(maxsize=None)
def torch():
    import common
    return common.setup_torch()


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def forward(peer, model, tokens, last=False, save=None):
    """Logits; written to a file as log probabilities where one is named."""
    model, x = loaded(peer, model), torch().tensor(tokens)
    options = dict(logits_to_keep=1) if last else {}
    seconds, logits = timed(lambda: model(x, **options).logits if peer == "hf" else model(x))
    if save:
        import numpy
        numpy.save(save, logits.log_softmax(-1).numpy())
    return seconds, None


def points(peer, model, tokens):
    """Logits and every activation that TransformerLens caches."""
    model, x = loaded(peer, model), torch().tensor(tokens)
    seconds, (_, cache) = timed(lambda: model.run_with_cache(x))
    return seconds, len(cache)


def generate(peer, model, tokens, new, layer, vector=None):
    """Greedy continuation; with a vector added to the residual stream before a block where one is given."""
    model, x = loaded(peer, model), torch().tensor(tokens)
    added = None if vector is None else torch().tensor(vector)
    options = dict(max_new_tokens=new, do_sample=False)

    def hf():
        return model.generate(x, attention_mask=torch().ones_like(x), min_new_tokens=new, pad_token_id=0, **options)

    def hf_steered():
        hook = model.transformer.h[layer].register_forward_pre_hook(lambda _, inputs: (inputs[0] + added, *inputs[1:]))
        try:
            return hf()
        finally:
            hook.remove()

    def tl():
        return model.generate(x, stop_at_eos=False, verbose=False, return_type="tokens", **options)

    def tl_steered():
        with model.hooks([(f"blocks.{layer}.hook_resid_pre", lambda value, hook: value + added)]):
            return tl()

    seconds, rows = timed({"hf": hf, "tl": tl}[peer] if added is None else {"hf": hf_steered, "tl": tl_steered}[peer])
    return seconds, rows.tolist()


@functools.lru_cache(maxsize=None)
def clean_cache(model, clean):
    return loaded("tl", model).run_with_cache(torch().tensor(clean))[1]


def patch(model, clean, corrupt, correct, incorrect, kind):
    """A table of logit differences of the corrupt run with clean values: of the residual stream or of heads, one cell a
    pass as TransformerLens does it, or the positions of a layer in one batch, as its users write it by hand."""
    import transformer_lens.patching as patching
    patching.tqdm = lambda cells, **_: cells
    net, base = loaded("tl", model), torch().tensor(corrupt)
    cache = clean_cache(model, tuple(map(tuple, clean)))
    metric = lambda logits: logits[:, -1, correct] - logits[:, -1, incorrect]
    layers, pos = net.cfg.n_layers, base.shape[1]

    def batched():
        table, rows, at = torch().zeros(layers, pos), base.repeat(pos, 1), torch().arange(pos)
        for layer in range(layers):
            def hook(value, hook):
                value[at, at] = cache[hook.name][0, at]
                return value
            table[layer] = metric(net.run_with_hooks(rows, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)]))
        return table

    whole = lambda logits: metric(logits)[0]
    work = {
        "resid_pre": lambda: patching.get_act_patch_resid_pre(net, base, cache, whole),
        "heads": lambda: patching.get_act_patch_attn_head_out_all_pos(net, base, cache, whole),
        "batched": batched,
    }[kind]
    seconds, table = timed(work)
    return seconds, table.tolist()


@functools.lru_cache(maxsize=None)
def training_step(sdpa, fused):
    import bench_train
    return bench_train.make(sdpa, fused or None)


def train(sdpa, fused):
    """A training step of bench_train's transformer."""
    step = training_step(sdpa, fused)
    with torch().enable_grad():
        seconds, loss = timed(step)
    return seconds, dict(loss=loss, parameters=step.params)


@functools.lru_cache(maxsize=None)
def matrices(rows, width, hidden):
    t = torch()
    return t.randn(rows, width), t.randn(width, hidden) / width**0.5, t.randn(hidden, width) / hidden**0.5


def products(rows, width, hidden):
    """Four matrix products in a row, [rows, width] to [rows, hidden] and back, twice; the sum of the last."""
    x, up, down = matrices(rows, width, hidden)
    return timed(lambda: (x @ up @ down @ up @ down).sum().item())


def versions():
    import common
    return 0, common.versions("torch", "transformers", "transformer-lens")


def ready(peer, model, tokens):
    """In a fresh process: from its start to the first logits."""
    imports = {
        "hf": "import torch, transformers; from transformers import AutoModelForCausalLM",
        "tl": "from transformer_lens import HookedTransformer",
    }
    exec(imports[peer], {})
    imported = time.perf_counter()
    with torch().no_grad():
        model = load(peer, model)
        done = time.perf_counter()
        x = torch().tensor(json.loads(tokens))
        seconds, _ = timed(lambda: model(x))
    answer(importSeconds=imported - start, loadSeconds=done - imported, firstSeconds=seconds, memory=[memory()])


def measure_memory(peer, model, tokens):
    """In a fresh process: says when it is ready, waits for a line, keeps everything, says how many bytes that is."""
    with torch().no_grad():
        model, x = load(peer, model), torch().tensor(json.loads(tokens))
        model(x[:1, :2])
        answer(ready=True)
        for _ in sys.stdin:
            logits, cache = model.run_with_cache(x)
            # Entries may be views of the same memory: that is counted once.
            kept = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in [logits, *cache.values()]}
            answer(returned=sum(kept.values()))
            del logits, cache


def serve():
    tasks = dict(
        forward=forward, points=points, generate=generate, patch=patch, train=train, products=products, versions=versions
    )
    with torch().no_grad():
        for line in sys.stdin:
            request = json.loads(line)
            try:
                seconds, result = tasks[request.pop("task")](**request)
                answer(seconds=seconds, result=result)
            except Exception as error:
                answer(error=f"{type(error).__name__}: {str(error)[:500]}")


if len(sys.argv) > 2:
    dict(ready=ready, memory=measure_memory)[sys.argv[2]](*sys.argv[3:])
else:
    serve()
