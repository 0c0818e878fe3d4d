package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"parfait/merge"
	"parfait/merge/codes"
)

// VerifyExport is merge.Verify for an export that may be a study's: its receipt is also compared with the hash that
// the study's history keeps, so that what it says was predicted, measured, why and by whom is what was said then. The
// study is the one in the folder named, else, as far as it is there, the one whose exports the folder lies in, or the
// one that the receipt names. What could not be compared is among the Unchecked; with a study that was named it is an
// error or a problem.
func VerifyExport(ctx context.Context, dir, study string, o merge.VerifyOptions, progress func(merge.Progress)) (merge.Verification, error) {
	v, err := merge.Verify(ctx, dir, o, progress)
	if err != nil {
		return v, err
	}
	var r studyReceipt
	if err := json.Unmarshal(v.Text, &r); err != nil {
		v.Found(merge.Check{}, merge.Problem{Code: codes.Receipt, Where: filepath.Join(dir, merge.ReceiptFile), What: "it is not a receipt: " + err.Error(), Expected: "JSON as an export writes it"})
		return v, nil
	}
	if study != "" {
		exports, id, err := exportsOf(ctx, study)
		if err != nil {
			return v, err
		}
		compareNamed(&v, r, study, exports, id)
		return v, nil
	}
	compareFound(ctx, &v, r)
	return v, nil
}

// exportsOf reads a study's exports, whatever its study.yaml says by now, and its id.
func exportsOf(ctx context.Context, dir string) (exports []Export, id string, err error) {
	if _, err := os.Stat(filepath.Join(dir, SpecFile)); err != nil {
		return nil, "", &Error{Code: CodeNotAStudy, Where: dir, What: "is not a study: it has no " + SpecFile, Err: err}
	}
	st, err := openStore(dir)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	h, err := st.load(ctx, nil)
	if err != nil {
		return nil, "", st.Explain(err)
	}
	return h.exports, h.meta["id"], nil
}

const (
	whatReceiptSays = "what the receipt says was predicted, measured, why and by whom"
	noHash          = "an earlier version of the program made this export, and the study has no hash of its receipt"
)

// compareNamed compares with the study that was asked for.
func compareNamed(v *merge.Verification, r studyReceipt, dir string, exports []Export, id string) {
	what := "the study has no export with this receipt, name or place"
	switch e, ok := theExport(v, r, dir, exports, id); {
	case ok:
		e.vouch(v, dir)
		return
	case r.Study == "":
		what = "parfait merge made it, without a study"
	case r.StudyID != "" && r.StudyID != id:
		what = "its receipt is of another study, in " + r.StudyDir
	}
	v.Found(merge.Check{}, merge.Problem{
		Code: codes.Corrupt, Where: filepath.Join(v.Dir, merge.ReceiptFile), What: what,
		Expected: "an export of " + dir, Fix: "name the study that made it, or leave --study out",
	})
}

// compareFound compares with the study that can be found.
func compareFound(ctx context.Context, v *merge.Verification, r studyReceipt) {
	why := "the study " + r.Study + " is not here to compare with: --study says where it is"
	if r.Study == "" {
		why = "parfait merge made it, without a study that would keep the receipt's hash"
	}
	for _, dir := range places(v.Dir, r) {
		exports, id, err := exportsOf(ctx, dir)
		switch e, ok := theExport(v, r, dir, exports, id); {
		case ok:
			e.vouch(v, dir)
			return
		case CodeOf(err) == CodeNotAStudy:
		case err != nil:
			why = dir + " cannot be read: " + err.Error()
		case r.StudyID != "" && id != r.StudyID:
			why = dir + " is another study than the receipt's"
		default:
			why = "the study in " + dir + " knows of no such export"
		}
	}
	v.Leaves(whatReceiptSays, why)
}

// places are where the study of an export may be: exports/NAME lies in it, and the receipt says where it was.
func places(dir string, r studyReceipt) []string {
	var out []string
	if abs, err := filepath.Abs(dir); err == nil && isIn(abs) != "" {
		out = append(out, isIn(abs))
	}
	if filepath.IsAbs(r.StudyDir) && !slices.Contains(out, r.StudyDir) {
		out = append(out, r.StudyDir)
	}
	return out
}

// isIn is the study's folder of exports/NAME, "" for any other place.
func isIn(export string) string {
	if exports := filepath.Dir(export); filepath.Base(exports) == "exports" {
		return filepath.Dir(exports)
	}
	return ""
}

// theExport finds the export among its study's: by its receipt's hash, wherever it was copied to; else by its place,
// also that within the study, which may have been moved; else, if its receipt is of the study with that id, by its name.
func theExport(v *merge.Verification, r studyReceipt, dir string, exports []Export, id string) (Export, bool) {
	abs, _ := filepath.Abs(v.Dir)
	name, hash := r.Export, receiptHash(v.Text)
	if name == "" {
		name = filepath.Base(abs)
	}
	within := isIn(abs) != "" && followed(isIn(abs)) == followed(dir)
	for _, same := range []func(Export) bool{
		func(e Export) bool { return e.ReceiptHash == hash || e.ReceiptNext == hash },
		func(e Export) bool { return followed(e.Out) == followed(abs) },
		func(e Export) bool { return within && isIn(e.Out) != "" && filepath.Base(e.Out) == filepath.Base(abs) },
		func(e Export) bool { return e.Name == name && (r.StudyID == "" || r.StudyID == id) },
	} {
		for i := len(exports) - 1; i >= 0; i-- { // the newest
			if same(exports[i]) {
				return exports[i], true
			}
		}
	}
	return Export{}, false
}

// vouch compares the receipt that was read with what the history keeps of it.
func (e Export) vouch(v *merge.Verification, study string) {
	c := merge.Check{What: whatReceiptSays, Against: "the hash that the study " + study + " keeps", By: "SHA-256"}
	switch hash := receiptHash(v.Text); {
	case e.ReceiptHash == "" && e.ReceiptNext == "":
		v.Leaves(whatReceiptSays, noHash)
	case hash == e.ReceiptNext:
		v.Found(c)
	case hash != e.ReceiptHash:
		v.Found(c, merge.Problem{
			Code: codes.Corrupt, Where: filepath.Join(v.Dir, merge.ReceiptFile), What: "it is not the receipt that the study wrote: its SHA-256 is " + hash,
			Expected: "that of the export " + e.Name + " in " + study + ", " + e.ReceiptHash, Fix: "do not believe what it says; copy it again from where it is good, or export again",
		})
	default:
		v.Found(c)
		if e.ReceiptNext != "" {
			v.Leaves("what was measured last", "the program ended before it stood in the receipt; the study has it")
		}
	}
}

func receiptHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
