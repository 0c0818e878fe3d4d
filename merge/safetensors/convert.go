package safetensors

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// otherFormats are the endings of files with weights that are not read here.
var otherFormats = []string{".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack"}

// foreign recognises by its first bytes what people put in the place of a safetensors file, and says
// what to do.
func foreign(start []byte, path string) string {
	for _, f := range []struct{ magic, found string }{
		{"version ", "a Git LFS pointer: fetch the file itself with `git lfs pull`"},
		{"GGUF", "a GGUF file: take the original model, or convert it back with " + convertGGUF(path)},
		{"PK\x03\x04", "a PyTorch archive (.bin, .pt): convert it with " + ConvertPickle(path, "OUT.safetensors")},
		{"\x80\x02}", "a Python pickle (.bin, .pt): convert it with " + ConvertPickle(path, "OUT.safetensors")},
		{"\x89HDF", "an HDF5 file: load it in Python and save it with safetensors"},
	} {
		if len(start) >= len(f.magic) && string(start[:len(f.magic)]) == f.magic {
			return f.found
		}
	}
	return ""
}

// convertFolder is the command that makes safetensors files of a folder that holds other formats. The
// class is that of config.json, so that the head stays, and the dtype that of the weights.
func convertFolder(dir string, files []string) string {
	if i := slices.IndexFunc(files, func(name string) bool { return strings.EqualFold(filepath.Ext(name), ".gguf") }); i >= 0 {
		return convertGGUF(filepath.Join(dir, files[i]))
	}
	if i := slices.IndexFunc(files, func(name string) bool { return !strings.HasPrefix(name, "pytorch_model") && pickled(name) }); i >= 0 {
		return ConvertPickle(filepath.Join(dir, files[i]), filepath.Join(dir, SingleName)) // which transformers does not find
	}
	return fmt.Sprintf("`python -c \"import transformers as t; d='%s'; getattr(t, t.AutoConfig.from_pretrained(d).architectures[0]).from_pretrained(d, torch_dtype='auto').save_pretrained('OUT')\"`", dir)
}

// pickled says whether files of the name are state dicts of PyTorch.
func pickled(name string) bool {
	return slices.Contains([]string{".bin", ".pt", ".pth", ".ckpt"}, strings.ToLower(filepath.Ext(name)))
}

// ConvertPickle is the command that makes the safetensors file out of a file with a state dict. Nothing in it is executed.
func ConvertPickle(path, out string) string {
	return fmt.Sprintf("`python -c \"import torch, safetensors.torch as s; s.save_file({k: v.clone().contiguous() for k, v in torch.load('%s', map_location='cpu', weights_only=True).items()}, '%s', {'format': 'pt'})\"`", path, out)
}

// convertGGUF is the command for a GGUF file; what was quantized stays as coarse as it is.
func convertGGUF(path string) string {
	return fmt.Sprintf("`pip install gguf; python -c \"from transformers import AutoModelForCausalLM as M, GgufConfig as G; M.from_pretrained('%s', gguf_file='%s', quantization_config=G(dequantize=True)).save_pretrained('OUT')\"`", filepath.Dir(path), filepath.Base(path))
}
