package safetensors

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every other format is refused with the command that converts this very file.
func TestOtherFormatsAreRefusedWithACommand(t *testing.T) {
	dir := t.TempDir()
	for name, start := range map[string]string{"x.gguf": "GGUF\x03\x00\x00\x00", "x.bin": "PK\x03\x04....", "x.pt": "\x80\x02}q\x00."} {
		folder := filepath.Join(dir, strings.ReplaceAll(name, ".", "-"))
		path := filepath.Join(folder, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(start+strings.Repeat("\x00", 100)), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := OpenModel(path)
		var f *FormatError
		if !errors.As(err, &f) || f.Code != NotThisKind || !strings.Contains(f.Msg, "python -c") || !strings.Contains(f.Msg, name) {
			t.Errorf("the file %s: %v", name, err)
		}
		_, err = OpenModel(folder)
		if !errors.As(err, &f) || f.Code != NoModel || !strings.Contains(f.Msg, "python -c") || !strings.Contains(f.Msg, folder) {
			t.Errorf("the folder of %s: %v", name, err)
		}
		if gguf := strings.Contains(f.Msg, "gguf_file='x.gguf'"); gguf != (name == "x.gguf") {
			t.Errorf("the folder of %s: %v", name, err)
		}
		if name != "x.gguf" && !strings.Contains(f.Msg, "torch.load('"+path+"'") { // transformers looks for pytorch_model.bin alone
			t.Errorf("the folder of %s: %v", name, err)
		}
		if strings.Contains(f.Msg, "AutoModel as") { // which forgets heads
			t.Errorf("the folder of %s: %v", name, err)
		}
	}
}
