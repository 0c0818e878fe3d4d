package transfer

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// optunaTables are those of Optuna's schema 12, of its versions since 3.2.
const optunaTables = `
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE version_info (version_info_id INTEGER NOT NULL PRIMARY KEY CHECK (version_info_id = 1), schema_version INTEGER, library_version VARCHAR(256));
CREATE TABLE studies (study_id INTEGER NOT NULL PRIMARY KEY, study_name VARCHAR(512) NOT NULL);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE TABLE study_directions (study_direction_id INTEGER NOT NULL PRIMARY KEY, direction VARCHAR(8) NOT NULL, study_id INTEGER NOT NULL REFERENCES studies (study_id), objective INTEGER NOT NULL, UNIQUE (study_id, objective));
CREATE TABLE study_user_attributes (study_user_attribute_id INTEGER NOT NULL PRIMARY KEY, study_id INTEGER REFERENCES studies (study_id), key VARCHAR(512), value_json TEXT, UNIQUE (study_id, key));
CREATE TABLE study_system_attributes (study_system_attribute_id INTEGER NOT NULL PRIMARY KEY, study_id INTEGER REFERENCES studies (study_id), key VARCHAR(512), value_json TEXT, UNIQUE (study_id, key));
CREATE TABLE trials (trial_id INTEGER NOT NULL PRIMARY KEY, number INTEGER, study_id INTEGER REFERENCES studies (study_id), state VARCHAR(8) NOT NULL, datetime_start DATETIME, datetime_complete DATETIME);
CREATE INDEX ix_trials_study_id ON trials (study_id);
CREATE TABLE trial_user_attributes (trial_user_attribute_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER REFERENCES trials (trial_id), key VARCHAR(512), value_json TEXT, UNIQUE (trial_id, key));
CREATE TABLE trial_system_attributes (trial_system_attribute_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER REFERENCES trials (trial_id), key VARCHAR(512), value_json TEXT, UNIQUE (trial_id, key));
CREATE TABLE trial_params (param_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER REFERENCES trials (trial_id), param_name VARCHAR(512), param_value FLOAT, distribution_json TEXT, UNIQUE (trial_id, param_name));
CREATE TABLE trial_values (trial_value_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER NOT NULL REFERENCES trials (trial_id), objective INTEGER NOT NULL, value FLOAT, value_type VARCHAR(7) NOT NULL, UNIQUE (trial_id, objective));
CREATE TABLE trial_intermediate_values (trial_intermediate_value_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER NOT NULL REFERENCES trials (trial_id), step INTEGER NOT NULL, intermediate_value FLOAT, intermediate_value_type VARCHAR(7) NOT NULL, UNIQUE (trial_id, step));
CREATE TABLE trial_heartbeats (trial_heartbeat_id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER NOT NULL UNIQUE REFERENCES trials (trial_id), heartbeat DATETIME NOT NULL);
INSERT INTO alembic_version VALUES ('v3.2.0.a');
INSERT INTO version_info VALUES (1, 12, '5.0.0');
`

// databaseTime is of UTC, without saying so.
const databaseTime = "2006-01-02 15:04:05.000000"

// writeDatabase writes the tables of Optuna's RDBStorage.
func writeDatabase(path string, o optunaStudy) (err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	if _, err := tx.Exec(optunaTables); err != nil {
		return err
	}
	w := optunaTx{tx: tx}
	w.put("INSERT INTO studies VALUES (1, ?)", o.name)
	for i, down := range o.minimize {
		direction := "MAXIMIZE"
		if down {
			direction = "MINIMIZE"
		}
		w.put("INSERT INTO study_directions (direction, study_id, objective) VALUES (?, 1, ?)", direction, i)
	}
	w.attributes("study_user", "study", 1, o.attributes)
	w.attributes("study_system", "study", 1, map[string]any{metricNames: o.names})
	for i, t := range o.trials {
		id := i + 1
		w.put("INSERT INTO trials VALUES (?, ?, 1, ?, ?, ?)", id, i, t.state.String(), databaseMoment(t.started), databaseMoment(t.ended))
		w.attributes("trial_user", "trial", id, t.user)
		w.attributes("trial_system", "trial", id, t.system)
		for _, name := range sorted(t.params) {
			w.put("INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)", id, name, t.params[name], t.distribution[name])
		}
		for k, v := range t.values {
			w.put("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, 'FINITE')", id, k, v)
		}
	}
	if w.err != nil {
		return w.err
	}
	return tx.Commit()
}

// optunaTx writes rows until one cannot be.
type optunaTx struct {
	tx  *sql.Tx
	err error
}

func (w *optunaTx) put(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.Exec(query, args...)
	}
}

// attributes writes those of a study or trial.
func (w *optunaTx) attributes(table, of string, id int, values map[string]any) {
	for _, key := range sorted(values) {
		b, err := json.Marshal(values[key])
		w.err = errors.Join(w.err, err)
		w.put("INSERT INTO "+table+"_attributes ("+of+"_id, key, value_json) VALUES (?, ?, ?)", id, key, string(b))
	}
}

func databaseMoment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(databaseTime)
}
