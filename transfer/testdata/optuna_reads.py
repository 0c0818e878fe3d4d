"""What Optuna, and its dashboard, make of a storage that parfait has written: printed as one JSON object.

    python optuna_reads.py STORAGE
"""

import json
import sys
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import optuna_dashboard

path = sys.argv[1]
if path.endswith(".log"):
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
else:
    storage = optuna.storages.RDBStorage("sqlite:///" + path)

study = optuna.load_study(study_name=None, storage=storage)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def dashboard():
    server = make_server("127.0.0.1", 0, optuna_dashboard.wsgi(storage), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = "http://127.0.0.1:%d/api/studies" % server.server_port
    studies = json.load(urllib.request.urlopen(address))
    one = json.load(urllib.request.urlopen("%s/%d?after=0" % (address, study._study_id)))
    server.shutdown()
    return {"studies": len(studies.get("study_summaries", studies)), "trials": len(one["trials"]), "best": sorted(t["number"] for t in one["best_trials"]),
            "metrics": one.get("objective_names")}


def waits_for(study):
    """The parameters that the first waiting trial gets when it is asked for."""
    if not any(t.state.name == "WAITING" for t in study.get_trials()):
        return None
    return study.ask({"rotated": optuna.distributions.FloatDistribution(0, 1.2), "mirrored": optuna.distributions.FloatDistribution(0, 1.2)}).params


print(json.dumps({
    "version": optuna.__version__,
    "name": study.study_name,
    "directions": [d.name.lower() for d in study.directions],
    "metrics": study.metric_names,
    "attributes": study.user_attrs,
    "best": sorted(t.number for t in study.best_trials),
    "trials": [{
        "number": t.number, "state": t.state.name, "values": t.values, "params": t.params, "user": t.user_attrs,
        "ranges": {k: [d.low, d.high] for k, d in t.distributions.items()},
        "seconds": t.duration.total_seconds() if t.duration else None,
        "started": t.datetime_start.astimezone().timestamp() if t.datetime_start else None,
    } for t in study.get_trials()],
    "dashboard": dashboard(),
    "columns": list(study.trials_dataframe().columns),
    "waits_for": waits_for(study),
}))
