/** Tells how many threads of the kernels run, which the package does not; imported before it. */

const instances: WebAssembly.Instance[] = [];

WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    instances.push(this);
  }
};

export function threadsJoined(): number {
  return (instances[0].exports.threads_ready as () => number)();
}
