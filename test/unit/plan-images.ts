import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, createFileRegistry, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

/**
 * A description of the messages of CRIU that these tests write, as far as a plan reads them: a field a word, in the order of
 * made-up numbers. `*` stands for many, a capital for a message, and without a type it is an integer of 32 bits.
 */
const MESSAGES = `
pstree_entry: pid *threads
task_kobj_ids_entry: files_id
fs_entry: cwd_id root_id umask
pagemap_head: pages_id
pagemap_entry: vaddr:long compat_nr_pages in_parent:bool flags nr_pages:long
vma_entry: start:long end:long pgoff:long shmid:long prot flags status madv:long fdflags
mm_entry: mm_start_code:long mm_end_code:long mm_start_data:long mm_end_data:long mm_start_stack:long mm_start_brk:long
  mm_brk:long mm_arg_start:long mm_arg_end:long mm_env_start:long mm_env_end:long exe_file_id *mm_saved_auxv:long
  *vmas:vma_entry dumpable *aios:fown_entry thp_disabled:bool
fown_entry: signum pid
fdinfo_entry: id flags type fd
reg_file_entry: flags pos:long fown:fown_entry name:text ext:bool
tty_file_entry: id
pipe_entry: pipe_id flags fown:fown_entry
pipe_data_entry: pipe_id bytes size
memfd_file_entry: flags pos:long fown:fown_entry inode_id
memfd_inode_entry: name:text size:long shmid seals inode_id:long hugetlb_flag
remap_file_path_entry: orig_id remap_id remap_type
ghost_file_entry: mode chunks:bool size:long
ghost_chunk_entry: len:long off:long
file_entry: type id reg:reg_file_entry tty:tty_file_entry pipe:pipe_entry memfd:memfd_file_entry
user_x86_regs_entry: r8:long r9:long r10:long r11:long r12:long r13:long r14:long r15:long di:long si:long bp:long bx:long
  dx:long ax:long cx:long sp:long ip:long flags:long fs_base:long gs_base:long mode
thread_info_x86: clear_tid_addr:long gpregs:user_x86_regs_entry
rlimit_entry: cur:long max:long
task_rlimits_entry: *rlimits:rlimit_entry
sa_entry: sigaction:long flags:long restorer:long mask:long compat_sigaction:bool
task_core_entry: task_state blk_sigset:long comm:text rlimits:task_rlimits_entry old_seccomp_mode *sigactions:sa_entry
  child_subreaper:bool membarrier_registration_mask
thread_core_entry: futex_rla:long futex_rla_len sched_nice sched_policy sched_prio blk_sigset:long pdeath_sig seccomp_mode
  comm:text
core_entry: thread_info:thread_info_x86 tc:task_core_entry thread_core:thread_core_entry
`;

const SCALARS: Record<string, Type> = { int: Type.UINT32, long: Type.UINT64, bool: Type.BOOL, text: Type.STRING };

const description = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'criu.proto',
      syntax: 'proto2',
      messageType: MESSAGES.replace(/\n {2}/g, ' ')
        .trim()
        .split('\n')
        .map((line) => {
          const [name, fields] = line.split(': ') as [string, string];
          const field = fields.split(' ').map((word, index) => {
            const [label, type = 'int'] = word.split(':') as [string, string?];
            const many = label.startsWith('*');
            const name = label.replace('*', '');
            return {
              name,
              jsonName: name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
              number: index + 1,
              label: many ? Label.REPEATED : Label.OPTIONAL,
              ...(SCALARS[type] ? { type: SCALARS[type] } : { type: Type.MESSAGE, typeName: `.${type}` }),
            };
          });
          return { name, field };
        }),
    },
  ],
});

const registry = createFileRegistry(description);

/** A message by its type, in protobuf's JSON, and the raw bytes that follow it. */
export type Entry = [type: string, content: JsonValue, bytes?: Buffer];

/** Writes the description, and image files by their names. */
export async function writeImages(folder: string, images: Record<string, Entry[]>): Promise<void> {
  await writeFile(join(folder, 'images.desc'), toBinary(FileDescriptorSetSchema, description));
  for (const [name, entries] of Object.entries(images)) {
    const magic = Buffer.alloc(8);
    magic.writeUInt32LE(0x5456_4319);
    const framed = entries.flatMap(([type, content, after = Buffer.alloc(0)]) => {
      const message = registry.getMessage(type)!;
      const bytes = toBinary(message, fromJson(message, content));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes, after];
    });
    await writeFile(join(folder, `${name}.img`), Buffer.concat([magic, ...framed]));
  }
}
