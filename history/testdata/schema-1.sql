-- A history as parfait began it before it had an application id: dumped by sqlite3.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('exhausted','');
INSERT INTO meta VALUES('identity','{"base":"models/base","models":{"mirrored":"models/mirrored","rotated":"models/rotated"},"method":"task_arithmetic","parameters":{"lambda":1},"groups":null,"skip":null,"dtype":"bf16","masks":"","variance_correction":false,"vocab":"","tasks":["mirrored","rotated","upright"],"coefficients":["rotated","mirrored"],"proportions":null,"seed":0}');
INSERT INTO meta VALUES('inputs','{"base":"d181b206ba2ab6086a31c8d27436690d","mirrored":"46792babb036b7595ad2b196c28a9806","rotated":"bdd9af8a2faad87375a488f420ffdaae"}');
INSERT INTO meta VALUES('note','');
INSERT INTO meta VALUES('paused','');
INSERT INTO meta VALUES('stop','');
CREATE TABLE batches (
	id INTEGER PRIMARY KEY, -- from 0
	seen TEXT NOT NULL,     -- trials asked for by people that the strategy saw, as JSON
	asked INTEGER NOT NULL);
INSERT INTO batches VALUES(0,'[]',1796026754397);
CREATE TABLE trials (
	id INTEGER PRIMARY KEY,
	batch INTEGER NOT NULL, -- -1: asked for by a person
	origin TEXT NOT NULL,
	why TEXT NOT NULL,
	x TEXT NOT NULL,        -- coefficients as a JSON array, in the order of meta.names
	state TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	error TEXT NOT NULL DEFAULT '',
	progress TEXT NOT NULL DEFAULT '',
	created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0);
INSERT INTO trials VALUES(1,0,'search','the base','[0,0]','done',1,'','',1796026754397,1796026754402,1796026754437);
INSERT INTO trials VALUES(2,0,'search','rotated alone','[1,0]','done',1,'','',1796026754397,1796026754402,1796026754511);
INSERT INTO trials VALUES(3,0,'search','mirrored alone','[0,1]','done',1,'','',1796026754397,1796026754474,1796026754537);
INSERT INTO trials VALUES(4,0,'search','uniform average','[0.5,0.5]','done',1,'','',1796026754397,1796026754530,1796026754548);
CREATE TABLE metrics (
	trial INTEGER NOT NULL REFERENCES trials(id),
	task TEXT NOT NULL,
	value REAL NOT NULL, stderr REAL NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (trial, task)) WITHOUT ROWID;
INSERT INTO metrics VALUES(1,'mirrored',0.62666666666666670515,0.022804805887472703873,450);
INSERT INTO metrics VALUES(1,'rotated',0.73999999999999999111,0.020691122583157202374,450);
INSERT INTO metrics VALUES(1,'upright',0.95777777777777772794,0.0095879311543009167195,450);
INSERT INTO metrics VALUES(2,'mirrored',0.22444444444444444641,0.019686740305321703131,450);
INSERT INTO metrics VALUES(2,'rotated',0.97111111111111114713,0.0080329139391293984118,450);
INSERT INTO metrics VALUES(2,'upright',0.24222222222222222764,0.020212480541996532407,450);
INSERT INTO metrics VALUES(3,'mirrored',0.90666666666666662077,0.013772338764189524448,450);
INSERT INTO metrics VALUES(3,'rotated',0.72444444444444444641,0.021073829875143598733,450);
INSERT INTO metrics VALUES(3,'upright',0.93555555555555558466,0.011655395064615119496,450);
INSERT INTO metrics VALUES(4,'mirrored',0.58444444444444443309,0.023233152711012425989,450);
INSERT INTO metrics VALUES(4,'rotated',0.92000000000000003996,0.012856593154091522021,450);
INSERT INTO metrics VALUES(4,'upright',0.64222222222222224985,0.022601004855784923019,450);
CREATE TABLE commands (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE picks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, x TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE exports (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, x TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE views (who TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
COMMIT;
PRAGMA user_version = 1;
