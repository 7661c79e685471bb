import { describe, expect, it } from '@jest/globals';
import type { MachineSpec } from '../machine.js';
import { type MachineMemory, qemuArguments } from './qemu-arguments.js';

const spec: MachineSpec = {
  id: '5f0c6a7e-58a6-4d43-9a5c-5f1d5f8d5d11',
  image: {
    digest: 'd',
    rootDiskPath: '/images/root.img',
    rootDiskFormat: 'raw',
    kernelPath: '/images/vmlinuz',
    initrdPath: '/images/initrd.img',
    kernelArguments: 'root=/dev/vda',
  },
  vcpus: 2,
  memoryMiB: 1024,
  hostname: 'desktop-7',
};
const ports = { first: 15_900, last: 15_999 };
const argsWith = (memory: MachineMemory, id = spec.id) =>
  qemuArguments({ spec: { ...spec, id }, accelerator: 'tcg', ports, memory, leaf: 'plain' });
const args = argsWith({ kind: 'own' });
const valuesOf = (option: string) => args.filter((_, index) => args[index - 1] === option);

describe('qemuArguments', () => {
  it('gives every PCI device an address of its own, for forks', () => {
    const pci = valuesOf('-device').filter((device) => /^virtio-[a-z]+(-pci)?,|-pci,/.test(device));
    const addresses = pci.map((device) => /addr=(0x[0-9a-f]+)/.exec(device)?.[1]);
    expect(pci.length).toBeGreaterThanOrEqual(8);
    expect(addresses).not.toContain(undefined);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it('shuts the machine in: no network, no rights, no reboot, display on loopback with a password', () => {
    expect(valuesOf('-netdev')).toEqual([expect.stringContaining('restrict=on')]);
    expect(valuesOf('-sandbox')[0]).toContain('spawn=deny');
    expect(args).toContain('-no-reboot');
    expect(valuesOf('-vnc')).toEqual(['127.0.0.1:10000,to=10099,password=on']);
  });

  it('puts no secret on the command line, which everybody on the host can read', () => {
    expect(args.join(' ')).not.toMatch(/secret|password=(?!on\b)/);
  });

  it('differs between accelerators only in processor and kernel arguments', () => {
    const kvm = qemuArguments({ spec, accelerator: 'kvm', ports, memory: { kind: 'own' }, leaf: 'plain' });
    const different = args.filter((arg) => !kvm.includes(arg));
    expect(different.filter((arg) => !/^(tcg|max|root=)/.test(arg))).toEqual([]);
  });

  it('differs between a parent and its child in the memory and the clipboard alone, so that the child finds every device', () => {
    const parent = argsWith({ kind: 'kept', memoryPath: 'memory' });
    const child = argsWith({ kind: 'forked', memoryPath: '/parents/a,b/memory' });
    expect(child.filter((arg) => !parent.includes(arg))).toEqual([
      'memory-backend-file,id=ram0,size=1024M,mem-path=/parents/a,,b/memory,share=off',
      '-incoming',
      'defer',
      expect.stringMatching(/^qemu-vdagent,id=clipboard,/),
    ]);
  });

  it('gives two machines two hardware addresses', () => {
    const nic = (id: string) => argsWith({ kind: 'own' }, id).find((arg) => arg.startsWith('virtio-net-pci'));
    expect(nic(spec.id)).toMatch(/,mac=52:([0-9a-f]{2}:){4}[0-9a-f]{2}$/);
    expect(nic(spec.id)).not.toBe(nic('6f0c6a7e-58a6-4d43-9a5c-5f1d5f8d5d12'));
  });
});
