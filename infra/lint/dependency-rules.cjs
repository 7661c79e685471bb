/**
 * Layers, top to bottom of this list: a lib may import only from rows above its own.
 * design: kernel, contracts -> config, directory, hypervisor, guacamole, volumes, database -> jobs, images ... -> desktops -> sessions -> services
 */
const layers = [
  ['kernel', 'contracts'],
  ['telemetry'],
  ['config', 'directory', 'hypervisor', 'volumes', 'guacamole', 'database', 'bus', 'http', 'embedded'],
  ['audit', 'jobs', 'images', 'identity'],
  ['app-layers'],
  ['apps'],
  ['profiles'],
  ['fleet'],
  ['desktops'],
  ['sessions'],
  ['platform'],
];

const layerRules = layers.flatMap((names, index) =>
  names.map((name) => {
    const allowed = layers.slice(0, index).flat();
    const lowest = index === 0 ? ['$never'] : allowed;
    // Audit rows are written by the row it shares a layer with, so it is the one sideways import allowed.
    const sideways = name === 'identity' || name === 'images' ? ['audit'] : [];
    return {
      name: `layer-${name}`,
      severity: 'error',
      from: { path: `^libs/${name}/src`, pathNot: '\\.(int-|e2e-)?spec\\.ts$' },
      to: { path: '^libs/[^/]+/src', pathNot: `^libs/(${[name, ...lowest, ...sideways].join('|')})/src` },
    };
  }),
);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layerRules,
    {
      name: 'libs-never-import-services',
      severity: 'error',
      from: { path: '^(libs|migrations)/' },
      to: { path: '^services/' },
    },
    {
      name: 'a-driver-never-sees-database-jobs-or-config',
      severity: 'error',
      from: { path: '^libs/(hypervisor|volumes|directory|guacamole)/src' },
      to: { path: '^libs/(database|jobs|config)/src' },
    },
    {
      name: 'services-never-import-each-other',
      comment: 'standalone composes the others, but runs the command line as a program; the portal is static files and shares only contracts',
      severity: 'error',
      from: { path: '^services/(broker|cli|gateway|portal|provisioner)/' },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'nobody-imports-the-command-line',
      severity: 'error',
      from: { path: '^services/standalone/' },
      to: { path: '^services/cli/' },
    },
    {
      name: 'a-lib-is-entered-through-its-index',
      severity: 'error',
      from: { path: '^(libs/([^/]+)|services|migrations|test)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/$2/'] },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { pathNot: ['^libs/testing/', '^test/', '^(libs|services)/[^/]+/test/', '\\.(int-|e2e-)?spec\\.ts$', '-conformance\\.ts$'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['goldleaf-source', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.json'],
    },
  },
};
