# --- files and mechanisms


def write_spikes(path: Path, spikes: dict) -> None:
    """Write SONATA's spike file: time (ms) and neuron of each spike by population."""
    sorting = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
    with h5py.File(path, "w") as file:
        stamp(file)
        for population, (times, neurons) in spikes.items():
            group = file.create_group(f"spikes/{population}")
            group.attrs.create("sorting", 2, dtype=sorting)
            group.create_dataset("timestamps", data=times, dtype=np.float64).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=neurons, dtype=np.uint64)


def write_potentials(path: Path, reports: dict) -> None:
    """Write SONATA's report of potentials: neurons, interval (ms) and values (mV) by population."""
    with h5py.File(path, "w") as file:
        stamp(file)
        for population, (neurons, interval, values) in reports.items():
            group = file.create_group(f"report/{population}")
            group.create_dataset("data", data=values, dtype=np.float32).attrs["units"] = "mV"
            mapping = group.create_group("mapping")
            mapping.create_dataset("node_ids", data=neurons, dtype=np.uint64)
            mapping.create_dataset("index_pointers", data=np.arange(len(neurons) + 1), dtype=np.uint64)
            mapping.create_dataset("element_ids", data=np.zeros(len(neurons)), dtype=np.uint32)
            time = [interval, interval * (len(values) + 1), interval]
            mapping.create_dataset("time", data=time).attrs["units"] = "ms"


def stamp(file) -> None:
    """Write what every SONATA file begins with."""
    file.attrs.create("magic", 0x0A7A, dtype=np.uint32)
    file.attrs.create("version", (0, 1), dtype=np.uint32)


def refuse_arbor() -> None:
    """Say why Arbor cannot run this, as long as PyNN has no point neurons for it."""
    folder = Path(importlib.import_module("pyNN").__file__).parent / "arbor"
    text = (folder / "standardmodels.py").read_text()
    missing = sorted({n["cell_type"] for n in NEURONS.values() if f"class {n['cell_type']}(" not in text})
    if missing:
        sys.exit(f"pyNN.arbor has no {', '.join(missing)}: it has neurons of several compartments only")


def compile_mechanisms(directory: Path | None) -> None:
    """Compile PyNN's mechanisms for NEURON and load them.

    PyNN does it by itself when it is imported, but among its own files, and only with nrnivmodl on the path.
    """
    neuron = importlib.import_module("neuron")
    source = Path(importlib.import_module("pyNN").__file__).parent / "neuron" / "nmodl"
    if any(source.glob("*/*nrnmech*")) or any(source.glob("*/.libs/*nrnmech*")):
        return  # PyNN finds what it has compiled
    temporary = None
    if directory is None:
        temporary = tempfile.TemporaryDirectory(prefix="pynn-neuron-")
        directory = Path(temporary.name)
    if not any(directory.glob("*/*nrnmech*")):
        directory.mkdir(parents=True, exist_ok=True)
        places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        nrnivmodl = shutil.which("nrnivmodl", path=places)
        if nrnivmodl is None:
            sys.exit("pyNN.neuron needs nrnivmodl, which comes with NEURON, and a C++ compiler")
        found = subprocess.run([nrnivmodl, str(source)], cwd=directory, capture_output=True, text=True)
        if found.returncode:
            sys.exit(f"nrnivmodl cannot compile PyNN's mechanisms: {(found.stderr or found.stdout).strip()[-300:]}")
    neuron.load_mechanisms(str(directory.resolve()))
    # now PyNN does not compile them again
    neuron.nrn_dll_loaded.append(str(source))
    if temporary is not None:
        temporary.cleanup()


def check_plasticity(simulator: str, name: str, plasticity: dict) -> None:
    """Refuse synapses of which PyNN makes something else for a simulator."""
    kind = plasticity["synapse"]
    if simulator == "brian2" and kind == "TsodyksMarkramSynapse":
        sys.exit(f"{name}: pyNN.brian2's {kind} lets resources recover with tau_syn instead of tau_rec; use nest")
    if simulator == "brian2":
        sys.exit(f"{name}: pyNN.brian2 has no dendritic delays for {kind}, and these are all dendritic; use nest")
    if simulator == "neuron" and kind == "STDPMechanism":
        sys.exit(
            f"{name}: pyNN.neuron adds up what spikes of the target do until the next spike of the source, with the "
            f"weight and the bounds of that time only, which is another {kind}; use nest"
        )


def check_brian2(name: str, cell_type: str, parameters: dict) -> None:
    """Refuse what PyNN makes something else of for Brian2."""
    if cell_type == "IF_curr_alpha" and np.any(parameters["tau_syn_E"] != parameters["tau_syn_I"]):
        sys.exit(f"{name}: pyNN.brian2 gives inhibitory synapses of IF_curr_alpha the time constant tau_syn_E")
    if cell_type in ("IF_curr_exp", "IF_curr_alpha"):
        for key in ("tau_syn_E", "tau_syn_I"):
            if np.any(parameters[key] == parameters["tau_m"]):
                sys.exit(
                    f"{name}: Brian2's exact integration divides by tau_m - {key}, which is 0; change one a little"
                )
    if cell_type.startswith("EIF_"):
        sys.exit(f"{name}: pyNN.brian2 detects the spikes of {cell_type} below v_spike and loses most; use nest")
    if cell_type == "Izhikevich":
        for key in ("c", "d"):
            if np.size(parameters[key]) > 1:
                sys.exit(f"{name}: pyNN.brian2 gives all neurons of an Izhikevich population the first {key}")


if __name__ == "__main__":
    main()
