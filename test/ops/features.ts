/** Ids of the features that the tests of an op prove, where one fits exactly. */
const features: Record<string, string> = {
  add: 'M-001',
  sub: 'M-002',
  mul: 'M-003',
  div: 'M-004',
  pow: 'M-006',
  square: 'M-007',
  sqrt: 'M-008',
  exp: 'M-009',
  log: 'M-010',
  log2: 'M-011',
  log10: 'M-012',
  abs: 'M-013',
  sign: 'M-014',
  cos: 'M-015',
  gt: 'M-016',
  eq: 'M-017',
  neg: 'M-019',
  maximum: 'M-020',
  matmul: 'L-002',
  mm: 'L-003',
  view: 'SH-001',
  reshape: 'SH-002',
  permute: 'SH-004',
  unsqueeze: 'SH-005',
  squeeze: 'SH-006',
  sum: 'RD-001',
  mean: 'RD-002',
  max: 'RD-003',
  argmin: 'RD-004',
  argmax: 'RD-005',
  logsumexp: 'RD-008',
  var: 'RD-009',
  float: 'DT-001',
  double: 'DT-002',
  int: 'DT-003',
  zero_: 'IP-003',
  normal_: 'IP-004',
  fill_: 'IP-005',
  uniform_: 'IP-006',
  detach: 'AG-013',
};

/** Title of a test: the feature's id where there is one, the op, what is tested. */
export function title(name: string, what: string): string {
  const id = features[name];
  return `${id === undefined ? '' : `${id} `}${name} ${what}`;
}
