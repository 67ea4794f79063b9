import type { NativeBinding } from './native';

/**
 * Maps libtorch and loads the addon.
 * @param options.directory the torch folder that holds `lib/libtorch_cpu.so`
 * @param options.cuda also maps libtorch's CUDA part; default false
 * @throws the dynamic linker's error when a library cannot be mapped, the addon's when its versions do not fit
 */
export function load(options: { directory: string; cuda?: boolean }): NativeBinding;

/** The addon's file, or undefined when there is none for this platform. */
export function addonPath(): string | undefined;

/** Maps one shared library for the rest of the process. */
export function preload(file: string): void;
