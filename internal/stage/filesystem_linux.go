package stage

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fileSystems are by the numbers that statfs gives, see linux/magic.h; those that are not in there are from the
// sources of the file systems.
var fileSystems = map[uint32]FileSystem{
	unix.EXT4_SUPER_MAGIC:      {"ext4", true},
	unix.XFS_SUPER_MAGIC:       {"XFS", true},
	unix.BTRFS_SUPER_MAGIC:     {"Btrfs", true},
	0x2fc12fc1:                 {"ZFS", true},
	unix.BCACHEFS_SUPER_MAGIC:  {"bcachefs", true},
	unix.F2FS_SUPER_MAGIC:      {"F2FS", true},
	0x3153464a:                 {"JFS", true},
	unix.REISERFS_SUPER_MAGIC:  {"ReiserFS", true},
	unix.NILFS_SUPER_MAGIC:     {"NILFS", true},
	unix.TMPFS_MAGIC:           {"tmpfs", true},
	unix.RAMFS_MAGIC:           {"ramfs", true},
	unix.OVERLAYFS_SUPER_MAGIC: {"overlayfs", true},
	unix.ECRYPTFS_SUPER_MAGIC:  {"eCryptfs", true},
	unix.SQUASHFS_MAGIC:        {"SquashFS", true},
	unix.EROFS_SUPER_MAGIC_V1:  {"EROFS", true},
	unix.ISOFS_SUPER_MAGIC:     {"ISO 9660", true},
	unix.UDF_SUPER_MAGIC:       {"UDF", true},
	unix.MSDOS_SUPER_MAGIC:     {"FAT", true},
	unix.EXFAT_SUPER_MAGIC:     {"exFAT", true},
	0x7366746e:                 {"NTFS", true},
	0x482b:                     {"HFS+", true},

	unix.NFS_SUPER_MAGIC:   {"NFS", false},
	unix.SMB_SUPER_MAGIC:   {"SMB", false},
	unix.CIFS_SUPER_MAGIC:  {"SMB", false},
	unix.SMB2_SUPER_MAGIC:  {"SMB", false},
	0x0bd00bd0:             {"Lustre", false},
	0x47504653:             {"GPFS", false},
	0x19830326:             {"BeeGFS", false},
	unix.CEPH_SUPER_MAGIC:  {"CephFS", false},
	unix.FUSE_SUPER_MAGIC:  {"FUSE", false}, // sshfs, s3fs, gcsfuse, GlusterFS, virtiofs: nobody knows who else has it
	unix.V9FS_MAGIC:        {"9p", false},
	unix.AFS_SUPER_MAGIC:   {"AFS", false},
	unix.AFS_FS_MAGIC:      {"AFS", false},
	unix.CODA_SUPER_MAGIC:  {"Coda", false},
	0x20030528:             {"OrangeFS", false},
	0xaad7aaea:             {"PanFS", false},
	unix.OCFS2_SUPER_MAGIC: {"OCFS2", false},
	0x01161970:             {"GFS2", false},
	0x013111a8:             {"IBRIX", false},
	0xbeefdead:             {"StorNext", false},
	unix.NCP_SUPER_MAGIC:   {"NCP", false},
	0x786f4256:             {"VirtualBox's shared folder", false},
	0xbacbacbc:             {"VMware's shared folder", false},
	0x7c7c6673:             {"Parallels' shared folder", false},
}

// FileSystemOf says what the folder or file at path lies on.
func FileSystemOf(path string) (FileSystem, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return FileSystem{}, &os.PathError{Op: "file system", Path: path, Err: err}
	}
	magic := uint32(st.Type)
	if known, ok := fileSystems[magic]; ok {
		return known, nil
	}
	return FileSystem{Name: fmt.Sprintf("file system %#x", magic)}, nil
}
